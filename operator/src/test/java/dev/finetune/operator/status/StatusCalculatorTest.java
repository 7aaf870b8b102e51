package dev.finetune.operator.status;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.applied;
import static dev.finetune.operator.Scenes.at;
import static dev.finetune.operator.Scenes.endedAt;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.lastWords;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.RankProgress;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.operator.validate.Violation;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StatusCalculatorTest {
  private final FineTuneJob job = applied();

  @Test
  void everyConditionIsThereFromTheFirstStatusOnInAFixedOrder() {
    start(1);

    assertThat(job.getStatus().conditions())
        .extracting(Condition::getType)
        .containsExactly("Accepted", "Scheduled", "Running", "Suspended", "Succeeded", "Failed");
    assertThat(job.getStatus().conditions())
        .extracting(Condition::getObservedGeneration)
        .containsOnly(1L);
    assertThat(job.getStatus().observedGeneration()).isEqualTo(1L);
    assertThat(job.getStatus().phase()).isEqualTo(Phase.PENDING);
  }

  @Test
  void everyViolationIsListedInOneMessage() {
    var violations = List.of(new Violation("spec.a", "is odd"), new Violation("spec.b", "too"));
    var status = new StatusCalculator(job, violations, NOW).rejected();

    assertThat(condition(status, ConditionType.Accepted).getMessage())
        .isEqualTo("spec.a: is odd; spec.b: too");
    assertThat(status.phase()).isEqualTo(Phase.PENDING);
    assertThat(status.attempts()).isNull();
  }

  @Test
  void theSamePassAgainGivesAnEqualStatus() {
    start(1);
    run(progress(10, 10, null));
    FineTuneJobStatus before = job.getStatus();

    run(progress(10, 10, null), NOW.plusSeconds(60));

    assertThat(job.getStatus()).isEqualTo(before);
  }

  @Test
  void aTransitionTimeMovesOnlyWithTheConditionsStatus() {
    start(1);
    stage(new PodStage(false, false, ConditionReason.JobCreated, "no pod"), NOW);
    stage(new PodStage(false, false, ConditionReason.Unschedulable, "no gpu"), NOW.plusSeconds(5));
    assertThat(condition(ConditionType.Scheduled).getLastTransitionTime())
        .isEqualTo("2026-01-01T00:10:00Z");
    assertThat(condition(ConditionType.Scheduled).getReason()).isEqualTo("Unschedulable");

    run(Progress.NONE, NOW.plusSeconds(9));
    assertThat(condition(ConditionType.Scheduled).getLastTransitionTime())
        .isEqualTo("2026-01-01T00:10:09Z");
    assertThat(job.getStatus().phase()).isEqualTo(Phase.RUNNING);
  }

  @Test
  void aTrainerThatCannotBeReachedLosesNothing() {
    start(1);
    run(progress(25, 20, null));
    run(Progress.NONE);

    assertThat(job.getStatus().training().step()).isEqualTo(25);
    assertThat(job.getStatus().epochs()).extracting(EpochResult::epoch).containsExactly(1, 2);
    assertThat(job.getStatus().checkpoints().latest().step()).isEqualTo(20);
  }

  @Test
  void aFailedAttemptCountsAndTellsTheStepsBeyondItsCheckpoint() {
    start(1);
    run(progress(25, 20, null));
    end(endedPod(1, 70, "Error", lastWords(TrainerExit.INTERNAL, "boom", progress(27, 20, null))));

    Attempt attempt = job.getStatus().attempts().get(0);
    assertThat(attempt.outcome()).isEqualTo(AttemptOutcome.Failed);
    assertThat(attempt.reason()).isEqualTo(ConditionReason.InternalError);
    assertThat(attempt.lostSteps()).isEqualTo(7);
    assertThat(attempt.resumedFromStep()).isZero();
    assertThat(attempt.node()).isEqualTo("node-1");
    assertThat(job.getStatus().failedAttempts()).isEqualTo(1);
    assertThat(job.getStatus().phase()).isEqualTo(Phase.RESTARTING);
  }

  @Test
  void anInterruptedAttemptIsNotCounted() {
    start(1);
    end(endedPod(1, 75, "Error", ""));

    assertThat(job.getStatus().failedAttempts()).isZero();
    assertThat(job.getStatus().attempts().get(0).outcome()).isEqualTo(AttemptOutcome.Interrupted);
  }

  @Test
  void aResumedAttemptCorrectsWhatTheOneBeforeLost() {
    start(1);
    run(progress(29, 20, null));
    end(endedPod(1, 70, "Error", ""));
    assertThat(job.getStatus().attempts().get(0).lostSteps()).isEqualTo(9);

    start(2);
    // The checkpoint at 20 didn't verify, so it went on from 10.
    run(progress(12, 10, 10));

    assertThat(job.getStatus().attempts().get(1).resumedFromStep()).isEqualTo(10);
    assertThat(job.getStatus().attempts().get(0).lostSteps()).isEqualTo(19);
    assertThat(job.getStatus().epochs())
        .as("epochs that are yet to be done again")
        .extracting(EpochResult::epoch)
        .containsExactly(1);

    run(progress(15, 10, 10));
    assertThat(job.getStatus().attempts().get(0).lostSteps()).isEqualTo(19);
  }

  @Test
  void theGpuTimeOfAPodThatIsGoneIsCountedFromWhenItWasSeenScheduled() {
    start(1);
    run(Progress.NONE);
    end(AttemptPods.NONE, NOW.plusSeconds(30));

    // Two GPUs for thirty seconds.
    assertThat(job.getStatus().attempts().get(0).gpuSeconds()).isEqualTo(60);
  }

  @Test
  void theGpuTimeOfSeveralPodsIsTheSumOfTheirs() {
    start(1);
    run(progress(10, 10, null));
    // Two GPUs each, with a node since 00:06.
    end(
        AttemptPods.of(
            at(0, endedAt("2026-01-01T00:09:00Z", endedPod(1, 74, "Error", ""))),
            at(1, endedAt("2026-01-01T00:08:00Z", endedPod(1, 70, "Error", "")))),
        NOW);

    Attempt attempt = job.getStatus().attempts().get(0);
    assertThat(attempt.gpuSeconds()).isEqualTo(2 * 180 + 2 * 120);
    assertThat(attempt.node()).isEqualTo("node-2");
  }

  @Test
  void thePaceOfTheRanksIsPartOfTheTraining() {
    start(1);
    var ranks = new RankProgress(8, 910.0, 5, "tune-1-1", 640.0);
    run(
        new Progress(
            new TrainingProgress(
                1.0, 10, "1/10", 10, 100, 1.5, null, 1e-4, 0.7, 7200.0, 10, 60L, ranks, 0.5, 2.0,
                0.6),
            null,
            null,
            null,
            null,
            null));

    assertThat(job.getStatus().training().ranks()).isEqualTo(ranks);
  }

  @Test
  void anAttemptThatNeverGotANodeHeldNoGpu() {
    start(1);
    end(AttemptPods.NONE, NOW.plusSeconds(3600));

    assertThat(job.getStatus().attempts().get(0).gpuSeconds()).isZero();
  }

  @Test
  void theLastTenAttemptsAreKeptAndAllFailuresCounted() {
    for (int number = 1; number <= 12; number++) {
      start(number);
      end(endedPod(number, 70, "Error", ""));
    }

    assertThat(job.getStatus().attempts())
        .extracting(Attempt::number)
        .containsExactlyElementsOf(IntStream.rangeClosed(3, 12).boxed().toList());
    assertThat(job.getStatus().failedAttempts()).isEqualTo(12);
  }

  @Test
  void theLastHundredEpochsAreKept() {
    start(1);
    run(progress(1500, 1500, null));

    assertThat(job.getStatus().epochs())
        .extracting(EpochResult::epoch)
        .containsExactlyElementsOf(IntStream.rangeClosed(51, 150).boxed().toList());
  }

  @Test
  void epochsThatTheTerminationMessageLeftOutStay() {
    start(1);
    run(progress(30, 30, null));
    Progress all = progress(40, 40, null);
    var shortened =
        new Progress(
            all.training(), all.epochs().subList(3, 4), all.checkpoints(), null, null, null);
    end(endedPod(1, 75, "Error", lastWords(TrainerExit.TRY_AGAIN, "saved", shortened)));

    assertThat(job.getStatus().epochs()).extracting(EpochResult::epoch).containsExactly(1, 2, 3, 4);
  }

  @Test
  void anAttemptBeingSuspendedRunsUntilItsPodHasEnded() {
    start(1);
    run(progress(10, 10, null));
    job.setStatus(
        calculator(NOW)
            .ending(ConditionReason.SuspendRequested, "saving", AttemptPods.NONE, Progress.NONE));
    assertThat(job.getStatus().phase()).isEqualTo(Phase.RUNNING);
    assertThat(condition(ConditionType.Suspended).getStatus()).isEqualTo("False");

    var end =
        AttemptEnd.byOperator(
            last(), ConditionReason.SuspendRequested, "saving", AttemptPods.NONE, NOW);
    job.setStatus(calculator(NOW).suspended(end));
    assertThat(job.getStatus().phase()).isEqualTo(Phase.SUSPENDED);
    assertThat(job.getStatus().training().step()).isEqualTo(10);
    assertThat(last().reason()).isEqualTo(ConditionReason.SuspendRequested);
  }

  @Test
  void successIsFinalAndKeepsTheResult() {
    start(1);
    run(progress(90, 90, null));
    var words = lastWords(TrainerExit.DONE, "done", progress(100, 100, null));
    var end = AttemptEnd.succeeded(last(), AttemptPods.of(endedPod(1, 0, "Completed", words)), NOW);
    job.setStatus(calculator(NOW).succeeded(end));

    assertThat(Conditions.terminal(job.getStatus())).isTrue();
    assertThat(job.getStatus().phase()).isEqualTo(Phase.SUCCEEDED);
    assertThat(job.getStatus().training().step()).isEqualTo(100);
    assertThat(condition(ConditionType.Running).getStatus()).isEqualTo("False");
    assertThat(condition(ConditionType.Failed).getStatus()).isEqualTo("False");
  }

  @Test
  void anEditAfterTheEndIsAnsweredAndChangesNothingElse() {
    start(1);
    Pod pod = endedPod(1, 65, "Error", lastWords(TrainerExit.DATA, "bad row", Progress.NONE));
    AttemptEnd end = AttemptEnd.failed(last(), AttemptPods.of(pod), NOW);
    job.setStatus(calculator(NOW).failed(Optional.of(end), ConditionReason.DataError, "bad row"));
    FineTuneJobStatus before = job.getStatus();
    assertThat(calculator(NOW.plusSeconds(60)).resting()).isSameAs(before);

    job.getMetadata().setGeneration(2L);
    FineTuneJobStatus after = calculator(NOW.plusSeconds(60)).resting();

    assertThat(after.observedGeneration()).isEqualTo(2L);
    assertThat(condition(after, ConditionType.Failed))
        .isEqualTo(condition(before, ConditionType.Failed));
    assertThat(after)
        .usingRecursiveComparison()
        .ignoringFields("observedGeneration", "conditions")
        .isEqualTo(before);
  }

  @Test
  void aRefusedChildShowsTheApiServersWords() {
    job.setStatus(calculator(NOW).childRefused("Job tune-1 was refused: exceeded quota"));

    assertThat(condition(ConditionType.Running).getReason()).isEqualTo("ChildRefused");
    assertThat(job.getStatus().message()).contains("exceeded quota");
    assertThat(job.getStatus().phase()).isEqualTo(Phase.PENDING);
  }

  private void start(int number) {
    job.setStatus(calculator(NOW).started(number, "tune-" + number));
  }

  private void run(Progress progress) {
    run(progress, NOW);
  }

  private void run(Progress progress, Instant now) {
    PodStage stage = PodStage.of("tune-1", AttemptPods.of(runningPod(1)), Optional.empty());
    job.setStatus(calculator(now).running(stage, AttemptPods.of(runningPod(1)), progress));
  }

  private void stage(PodStage stage, Instant now) {
    job.setStatus(calculator(now).running(stage, AttemptPods.NONE, Progress.NONE));
  }

  private void end(Pod pod) {
    end(AttemptPods.of(pod), NOW);
  }

  private void end(AttemptPods pods, Instant now) {
    job.setStatus(calculator(now).restarting(AttemptEnd.failed(last(), pods, now), "again"));
  }

  private Attempt last() {
    return AttemptHistory.last(job.getStatus().attempts()).orElseThrow();
  }

  private StatusCalculator calculator(Instant now) {
    return new StatusCalculator(job, List.of(), now);
  }

  private Condition condition(ConditionType type) {
    return condition(job.getStatus(), type);
  }

  private static Condition condition(FineTuneJobStatus status, ConditionType type) {
    return Conditions.find(status, type).orElseThrow();
  }
}
