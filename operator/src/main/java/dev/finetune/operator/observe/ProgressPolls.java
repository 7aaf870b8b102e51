package dev.finetune.operator.observe;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.config.Daemons;
import dev.finetune.operator.config.OperatorConfig;
import dev.finetune.operator.observe.ProgressSource.Answer;
import io.fabric8.kubernetes.api.model.Pod;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Asks the trainers of all jobs, beside the reconciler and not within it: a pass never waits for a
 * trainer, it starts the question that is due and takes the answer to an earlier one.
 *
 * <p>All jobs together ask at most so many trainers a second, and each answer leads to at most one
 * status write, so that neither grows with the number of jobs: where more run, each is asked less
 * often. A trainer that can't be reached is asked less and less.
 */
@ApplicationScoped
public class ProgressPolls {
  /** A job that wasn't observed for so many intervals has ended or was deleted. */
  private static final int FORGOTTEN_AFTER = 10;

  private final ProgressSource source;
  private final Clock clock;
  private final Duration shortest;
  private final int perSecond;
  private final Pace pace;

  private final Timer timer;

  /** By the job's uid. */
  private final Map<String, Poll> polls = new ConcurrentHashMap<>();

  private volatile Consumer<ResourceID> wake = job -> {};
  private volatile Instant swept;

  @Inject
  ProgressPolls(ProgressSource source, OperatorConfig config, Clock clock) {
    this(source, config, clock, timer());
  }

  ProgressPolls(ProgressSource source, OperatorConfig config, Clock clock, Timer timer) {
    this.source = source;
    this.clock = clock;
    this.shortest = config.progress().interval();
    this.perSecond = config.progress().perSecond();
    this.pace = new Pace(perSecond);
    this.swept = clock.instant();
    this.timer = timer;
  }

  private static Timer timer() {
    var executor = Executors.newSingleThreadScheduledExecutor(Daemons.named("progress-timer"));
    return (task, delay) -> {
      var unused = executor.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    };
  }

  /** Has {@code wake} called, on any thread, with each job whose trainer has answered. */
  public void onAnswer(Consumer<ResourceID> wake) {
    this.wake = wake;
  }

  /**
   * What the trainer in {@code pod} answered since the last call; {@link Answer#UNREACHABLE} where
   * there is nothing new. Asks it again where that is due.
   */
  Answer take(FineTuneJob job, Pod pod) {
    Instant now = clock.instant();
    sweep(now);
    String podUid = pod.getMetadata().getUid();
    Poll poll =
        polls.compute(
            job.getMetadata().getUid(),
            (uid, known) -> known != null && known.isOf(podUid) ? known : new Poll(podUid));
    if (poll.begin(now)) {
      var id = ResourceID.fromResource(job);
      timer.later(() -> ask(id, pod, poll), pace.reserve(now));
    }
    return poll.take();
  }

  private void ask(ResourceID job, Pod pod, Poll poll) {
    var unused = source.ask(pod).thenAccept(answer -> answered(job, poll, answer));
  }

  private void answered(ResourceID job, Poll poll, Answer answer) {
    poll.end(answer, clock.instant(), interval());
    if (answer.reached()) {
      wake.accept(job);
    }
  }

  /** Time between two questions to one trainer, with as many as there are now. */
  private Duration interval() {
    Duration shared = Duration.ofMillis(1000L * polls.size() / perSecond);
    return shared.compareTo(shortest) > 0 ? shared : shortest;
  }

  private void sweep(Instant now) {
    if (now.isBefore(swept.plus(shortest))) {
      return;
    }
    swept = now;
    Instant forgotten = now.minus(shortest.multipliedBy(FORGOTTEN_AFTER));
    polls.values().removeIf(poll -> poll.takenBefore(forgotten));
  }

  /** Runs a task after a delay. */
  interface Timer {
    void later(Runnable task, Duration delay);
  }
}
