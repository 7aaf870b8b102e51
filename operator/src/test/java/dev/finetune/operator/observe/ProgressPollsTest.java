package dev.finetune.operator.observe;

import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.MovingClock;
import dev.finetune.operator.TestConfig;
import dev.finetune.operator.observe.ProgressSource.Answer;
import io.fabric8.kubernetes.api.model.Pod;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Trainers that answer when the test says so, asked every ten seconds and twenty a second. */
class ProgressPollsTest {
  private static final Answer SOME = new Answer(true, progress(20, 20, null));

  private final MovingClock clock = new MovingClock();
  private final List<CompletableFuture<Answer>> questions = new ArrayList<>();
  private final List<Duration> delays = new ArrayList<>();
  private final List<ResourceID> woken = new ArrayList<>();
  private final ProgressPolls polls =
      new ProgressPolls(
          pod -> {
            questions.add(new CompletableFuture<>());
            return questions.get(questions.size() - 1);
          },
          TestConfig.with(
              Map.of("finetune.progress.interval", "10s", "finetune.progress.per-second", "20")),
          clock,
          (task, delay) -> {
            delays.add(delay);
            task.run();
          });

  ProgressPollsTest() {
    polls.onAnswer(woken::add);
  }

  @Test
  void aPassTakesTheAnswerThatWokeItAndOnlyOnce() {
    assertThat(take("tune")).as("nothing is waited for").isEqualTo(Answer.UNREACHABLE);
    assertThat(woken).isEmpty();

    questions.get(0).complete(SOME);

    assertThat(woken).containsExactly(new ResourceID("tune", "default"));
    assertThat(take("tune")).isEqualTo(SOME);
    assertThat(take("tune")).isEqualTo(Answer.UNREACHABLE);
  }

  @Test
  void oneTrainerIsAskedOnceInAnInterval() {
    take("tune");
    take("tune");
    assertThat(questions).as("the first one is under way").hasSize(1);
    questions.get(0).complete(SOME);
    clock.pass(Duration.ofSeconds(8));
    take("tune");
    assertThat(questions).hasSize(1);
    clock.pass(Duration.ofSeconds(2));
    take("tune");
    assertThat(questions).hasSize(2);
  }

  @Test
  void aTrainerThatCannotBeReachedIsAskedLessAndLess() {
    for (int second = 0; second < 600; second++) {
      take("tune");
      questions.stream()
          .filter(question -> !question.isDone())
          .forEach(question -> question.complete(Answer.UNREACHABLE));
      clock.pass(Duration.ofSeconds(1));
    }
    // At 0, 9, 27, 63, 135, 279 and 423 seconds, and then every 144.
    assertThat(questions).hasSize(8);
    assertThat(woken).isEmpty();

    clock.pass(Duration.ofSeconds(160));
    take("tune");
    questions.get(8).complete(SOME);
    clock.pass(Duration.ofSeconds(160));
    take("tune");
    questions.get(9).complete(SOME);
    clock.pass(Duration.ofSeconds(10));
    take("tune");
    assertThat(questions).as("one that answers is asked at the interval again").hasSize(11);
  }

  @Test
  void aThousandTrainersAreAskedTwentyASecondAndEachLessOften() {
    for (int job = 0; job < 1000; job++) {
      take("tune-" + job);
    }
    assertThat(delays.get(0)).isZero();
    assertThat(delays.get(999)).isEqualTo(Duration.ofMillis(999 * 50));

    questions.forEach(question -> question.complete(SOME));
    clock.pass(Duration.ofSeconds(40));
    take("tune-0");
    assertThat(questions).hasSize(1000);
    clock.pass(Duration.ofSeconds(10));
    take("tune-0");
    assertThat(questions).hasSize(1001);
  }

  @Test
  void theAnswerOfAnEarlierAttemptsPodIsNotTheNextOnes() {
    take("tune");
    FineTuneJob job = job("tune");
    Pod next = pod("another");
    polls.take(job, next);
    questions.get(0).complete(SOME);

    assertThat(polls.take(job, next)).isEqualTo(Answer.UNREACHABLE);
  }

  @Test
  void jobsThatAreGoneDoNotSlowTheOthersDown() {
    for (int job = 0; job < 1000; job++) {
      take("tune-" + job);
      questions.get(job).complete(SOME);
    }
    clock.pass(Duration.ofSeconds(101));
    take("tune-0");
    questions.get(1000).complete(SOME);
    clock.pass(Duration.ofSeconds(10));
    take("tune-0");

    assertThat(questions).hasSize(1002);
  }

  private Answer take(String name) {
    return polls.take(job(name), pod("pod of " + name));
  }

  private static FineTuneJob job(String name) {
    FineTuneJob job = Jobs.named(name);
    job.getMetadata().setUid(name);
    return job;
  }

  private static Pod pod(String uid) {
    Pod pod = runningPod(1);
    pod.getMetadata().setUid(uid);
    return pod;
  }
}
