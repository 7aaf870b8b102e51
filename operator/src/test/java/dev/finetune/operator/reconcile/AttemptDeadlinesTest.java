package dev.finetune.operator.reconcile;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.at;
import static dev.finetune.operator.Scenes.deleted;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.job;
import static dev.finetune.operator.Scenes.jobOf;
import static dev.finetune.operator.Scenes.lastWords;
import static dev.finetune.operator.Scenes.pod;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.queuedJob;
import static dev.finetune.operator.Scenes.runningPod;
import static dev.finetune.operator.Scenes.unschedulablePod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.Scenes;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.PodStage;
import dev.finetune.operator.status.StatusCalculator;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Attempts that started at 00:05 and, where they run, are seen to run at 00:10. */
class AttemptDeadlinesTest {
  private static final Instant START = Instant.parse("2026-01-01T00:05:00Z");

  private final FineTuneJob job = Scenes.running();

  @Test
  void aPodThatNeverStartsIsEndedWithTheWordsOfWhoeverHoldsItUp() {
    Jobs.with(job, "deadlines: {pendingSeconds: 300}");
    var observation = observed(job(1, null), unschedulable());

    assertThat(decide(observation, START.plusSeconds(299)))
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(keep -> assertThat(keep.deadline()).contains(Duration.ofSeconds(1)));
    assertThat(decide(observation, START.plusSeconds(300)))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(
            end -> {
              assertThat(end.reason()).isEqualTo(ConditionReason.PendingDeadlineExceeded);
              assertThat(end.job()).contains("tune-1");
              assertThat(end.message())
                  .contains("spec.deadlines.pendingSeconds (300)", "Insufficient nvidia.com/gpu");
            });
  }

  @Test
  void aPendingAttemptThatWasEndedFailsTheJobOnceItsPodIsGone() {
    Jobs.with(job, "deadlines: {pendingSeconds: 300}");
    record(
        status ->
            status.ending(
                ConditionReason.PendingDeadlineExceeded,
                "too late: no GPU",
                AttemptPods.NONE,
                Progress.NONE));

    assertThat(decide(Observation.NOTHING, NOW))
        .isEqualTo(
            new NextStep.Fail(
                ((NextStep.Fail) decide(Observation.NOTHING, NOW)).end(),
                ConditionReason.PendingDeadlineExceeded,
                "too late: no GPU"));
  }

  @Test
  void theTimeInTheQueueIsNotPending() {
    Jobs.with(job, "deadlines: {pendingSeconds: 300}");
    Job admitted = queuedJob(1);
    assertThat(decide(observed(admitted), START.plusSeconds(86400)))
        .as("queued for a day")
        .isInstanceOf(NextStep.KeepRunning.class);

    admitted.getSpec().setSuspend(false);
    assertThat(decide(observed(admitted, unschedulable()), START.plusSeconds(86400)))
        .as("admitted, but the Job controller has yet to say when")
        .isInstanceOf(NextStep.KeepRunning.class);
    Job started =
        admitted.edit().withNewStatus().withStartTime("2026-01-01T02:00:00Z").endStatus().build();
    assertThat(decide(observed(started, unschedulable()), Instant.parse("2026-01-01T02:04:59Z")))
        .isInstanceOf(NextStep.KeepRunning.class);
    assertThat(decide(observed(started, unschedulable()), Instant.parse("2026-01-01T02:05:00Z")))
        .isInstanceOf(NextStep.EndAttempt.class);
  }

  @Test
  void aJobThatSomebodyHeldBackIsPendingOnlyFromItsRelease() {
    Jobs.with(job, "deadlines: {pendingSeconds: 300}");
    Job released =
        job(1, null)
            .edit()
            .withNewStatus()
            .withStartTime("2026-01-01T02:00:00Z")
            .addNewCondition()
            .withType("Suspended")
            .withStatus("False")
            .endCondition()
            .endStatus()
            .build();

    assertThat(decide(observed(released, unschedulable()), Instant.parse("2026-01-01T02:04:59Z")))
        .isInstanceOf(NextStep.KeepRunning.class);
  }

  @Test
  void theRunningTimeOfAllAttemptsCountsFromTheContainersOwnStart() {
    Jobs.with(job, "deadlines: {activeSeconds: 1000}");
    // 600 seconds of earlier attempts, and this container runs since 00:06.
    job.setStatus(withActiveSeconds(600));
    Pod pod = started(runningPod(1), "2026-01-01T00:06:00Z");

    assertThat(decide(observed(job(1, null), pod), Instant.parse("2026-01-01T00:12:39Z")))
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(keep -> assertThat(keep.deadline()).contains(Duration.ofSeconds(1)));
    assertThat(decide(observed(job(1, null), pod), Instant.parse("2026-01-01T00:12:40Z")))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(
            end -> assertThat(end.reason()).isEqualTo(ConditionReason.ActiveDeadlineExceeded));
  }

  @Test
  void aJobOutOfTimeFailsAndSaysWhereItsLastCheckpointIs() {
    Jobs.with(job, "deadlines: {activeSeconds: 60}");
    record(
        status ->
            status.ending(
                ConditionReason.ActiveDeadlineExceeded,
                "time is up",
                AttemptPods.NONE,
                progress(20, 20, null)));
    var words = lastWords(TrainerExit.TRY_AGAIN, "saved", progress(27, 27, null));
    var observation = new Observation(List.of(), List.of(endedPod(1, 75, "Error", words)));

    assertThat(decide(observation, NOW))
        .asInstanceOf(type(NextStep.Fail.class))
        .satisfies(
            fail -> {
              assertThat(fail.reason()).isEqualTo(ConditionReason.ActiveDeadlineExceeded);
              assertThat(fail.message())
                  .contains("activeSeconds (60)", "pvc://results/checkpoint-27");
            });
  }

  @Test
  void anAdapterThatWasWrittenInTheLastMomentIsASuccess() {
    record(
        status ->
            status.ending(
                ConditionReason.ActiveDeadlineExceeded,
                "time is up",
                AttemptPods.NONE,
                Progress.NONE));
    var words = lastWords(TrainerExit.DONE, "done", progress(100, 100, null));
    var observation = new Observation(List.of(), List.of(endedPod(1, 0, "Completed", words)));

    assertThat(decide(observation, NOW)).isInstanceOf(NextStep.Complete.class);
  }

  @Test
  void noAttemptStartsWithoutTimeLeft() {
    FineTuneJob waiting =
        Scenes.with(
            Scenes.applied(),
            Scenes.attempt(
                1,
                AttemptOutcome.Interrupted,
                ConditionReason.SuspendRequested,
                NOW.minusSeconds(9)));
    Jobs.with(waiting, "deadlines: {activeSeconds: 60}");
    FineTuneJobStatus status = waiting.getStatus();
    waiting.setStatus(withActiveSeconds(status, 60));

    assertThat(NextStepDecider.decide(waiting, List.of(), Observation.NOTHING, NOW))
        .asInstanceOf(type(NextStep.Fail.class))
        .satisfies(fail -> assertThat(fail.message()).contains("it has saved no checkpoint"));
  }

  @Test
  void aTrainerWithoutProgressIsStalledCountedFromItsLastChange() {
    Jobs.with(job, "deadlines: {stallSeconds: 100}");
    record(status -> run(status, progress(10, 10, null)));

    assertThat(decide(reached(true), NOW.plusSeconds(99)))
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(keep -> assertThat(keep.deadline()).contains(Duration.ofSeconds(1)));
    assertThat(decide(reached(true), NOW.plusSeconds(100)))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(
            end -> {
              assertThat(end.reason()).isEqualTo(ConditionReason.Stalled);
              assertThat(end.message()).contains("2026-01-01T00:10:00Z", "stallSeconds (100)");
            });
  }

  @Test
  void aTrainerThatCannotBeReachedIsNotStalled() {
    Jobs.with(job, "deadlines: {stallSeconds: 100}");
    record(status -> run(status, progress(10, 10, null)));

    assertThat(decide(reached(false), NOW.plusSeconds(1000)))
        .isInstanceOf(NextStep.KeepRunning.class);
  }

  @Test
  void aStalledAttemptIsAFailureThatIsTriedAgain() {
    record(status -> run(status, progress(10, 10, null)));
    record(
        status ->
            status.ending(ConditionReason.Stalled, "no progress", AttemptPods.NONE, Progress.NONE));

    assertThat(decide(Observation.NOTHING, NOW))
        .asInstanceOf(type(NextStep.Restart.class))
        .satisfies(
            restart -> {
              assertThat(restart.end().attempt().outcome()).isEqualTo(AttemptOutcome.Failed);
              assertThat(restart.end().attempt().reason()).isEqualTo(ConditionReason.Stalled);
              assertThat(restart.end().attempt().message()).isEqualTo("no progress");
            });
  }

  @Test
  void aDeadlineThatWasBegunGoesOnAlsoIfTheDeletionWasNotReached() {
    record(status -> run(status, progress(10, 10, null)));
    record(
        status ->
            status.ending(ConditionReason.Stalled, "no progress", AttemptPods.NONE, Progress.NONE));

    assertThat(decide(reached(true), NOW))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(
            end -> {
              assertThat(end.job()).contains("tune-1");
              assertThat(end.message()).isEqualTo("no progress");
            });
  }

  @Test
  void aPodWhoseNodeDoesNotAnswerIsLostHalfAMinuteAfterItsGracePeriod() {
    Pod pod = deleted(runningPod(1), NOW);

    assertThat(decide(observed(job(1, null), pod), NOW.plusSeconds(29)))
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(
            keep -> {
              assertThat(keep.deadline()).contains(Duration.ofSeconds(1));
              assertThat(keep.stage().message()).contains("is being deleted");
            });
    assertThat(decide(observed(job(1, "FailureTarget"), pod), NOW.plusSeconds(30)))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(
            end -> {
              assertThat(end.reason()).isEqualTo(ConditionReason.Disrupted);
              assertThat(end.message()).contains("Node node-1 doesn't answer");
            });
  }

  @Test
  void theNextAttemptDoesNotWaitForALostPod() {
    Pod pod = deleted(runningPod(1), NOW.minusSeconds(30));
    record(status -> run(status, progress(10, 10, null)));
    record(
        status ->
            status.ending(
                ConditionReason.Disrupted, "node-1 is lost", AttemptPods.of(pod), Progress.NONE));

    NextStep step = decide(new Observation(List.of(), List.of(pod)), NOW);
    assertThat(step)
        .asInstanceOf(type(NextStep.Restart.class))
        .satisfies(
            restart -> {
              assertThat(restart.end().attempt().outcome()).isEqualTo(AttemptOutcome.Interrupted);
              assertThat(restart.end().attempt().message()).isEqualTo("node-1 is lost");
            });
    var restart = (NextStep.Restart) step;
    record(status -> status.restarting(restart.end(), restart.message()));
    assertThat(decide(new Observation(List.of(), List.of(pod)), NOW.plusSeconds(60)))
        .isEqualTo(new NextStep.StartAttempt(2));
  }

  @Test
  void oneOfSeveralPodsThatIsLostEndsTheAttempt() {
    Pod lost = at(1, deleted(runningPod(1), NOW.minusSeconds(30)));

    assertThat(decide(observed(jobOf(2, 1, null), at(0, runningPod(1)), lost), NOW))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(
            end -> {
              assertThat(end.reason()).isEqualTo(ConditionReason.Disrupted);
              assertThat(end.message()).contains("Node node-2", "tune-1-1-abcde");
            });
  }

  @Test
  void ranksThatHangAfterRankZeroIsDoneAreEnded() {
    Jobs.with(job, "deadlines: {stallSeconds: 60}");
    record(status -> run(status, progress(100, 100, null)));
    var observation =
        observed(
            jobOf(2, 1, null), at(0, endedPod(1, 0, "Completed", "done")), at(1, runningPod(1)));

    assertThat(decide(observation, NOW.plusSeconds(59))).isInstanceOf(NextStep.KeepRunning.class);
    assertThat(decide(observation, NOW.plusSeconds(60)))
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(end -> assertThat(end.reason()).isEqualTo(ConditionReason.Stalled));
  }

  @Test
  void severalPodsRunFromTheStartOfTheLast() {
    Jobs.with(job, "deadlines: {activeSeconds: 120}");
    record(status -> run(status, progress(10, 10, null)));
    var observation =
        observed(
            jobOf(2, 1, null),
            at(0, started(runningPod(1), "2026-01-01T00:06:00Z")),
            at(1, started(runningPod(1), "2026-01-01T00:09:00Z")));

    assertThat(decide(observation, NOW))
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(keep -> assertThat(keep.deadline()).contains(Duration.ofSeconds(60)));
  }

  private static FineTuneJobStatus run(StatusCalculator status, Progress progress) {
    return status.running(
        PodStage.of("tune-1", AttemptPods.of(runningPod(1)), Optional.empty()),
        AttemptPods.of(runningPod(1)),
        progress);
  }

  private void record(Function<StatusCalculator, FineTuneJobStatus> step) {
    job.setStatus(step.apply(new StatusCalculator(job, List.of(), NOW)));
  }

  private FineTuneJobStatus withActiveSeconds(long seconds) {
    return withActiveSeconds(job.getStatus(), seconds);
  }

  private static FineTuneJobStatus withActiveSeconds(FineTuneJobStatus status, long seconds) {
    return new FineTuneJobStatus(
        1L,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        status.attempts(),
        0,
        seconds,
        null);
  }

  private static Pod started(Pod pod, String time) {
    pod.getStatus().getContainerStatuses().get(0).getState().getRunning().setStartedAt(time);
    return pod;
  }

  private static Pod unschedulable() {
    return unschedulablePod(1, "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.");
  }

  private static Observation reached(boolean reached) {
    return new Observation(
        List.of(job(1, null)), List.of(runningPod(1)), Progress.NONE, reached, Optional.empty());
  }

  private static Observation observed(Job job, Pod... pods) {
    return new Observation(List.of(job), List.of(pods));
  }

  private NextStep decide(Observation observation, Instant now) {
    return NextStepDecider.decide(job, List.of(), observation, now);
  }
}
