package dev.finetune.operator.reconcile;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.applied;
import static dev.finetune.operator.Scenes.at;
import static dev.finetune.operator.Scenes.attempt;
import static dev.finetune.operator.Scenes.deleted;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.job;
import static dev.finetune.operator.Scenes.jobOf;
import static dev.finetune.operator.Scenes.lastWords;
import static dev.finetune.operator.Scenes.observed;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.running;
import static dev.finetune.operator.Scenes.runningPod;
import static dev.finetune.operator.Scenes.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.Jobs;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.StatusCalculator;
import dev.finetune.operator.validate.Violation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NextStepDeciderTest {
  private static final List<Violation> VALID = List.of();
  private static final List<Violation> INVALID = List.of(new Violation("spec", "is odd"));

  @Test
  void aNewJobStartsItsFirstAttempt() {
    assertThat(decide(applied(), Observation.NOTHING)).isEqualTo(new NextStep.StartAttempt(1));
  }

  @Test
  void anInvalidJobStartsNothing() {
    assertThat(NextStepDecider.decide(applied(), INVALID, Observation.NOTHING, NOW))
        .isEqualTo(new NextStep.Reject());
  }

  @Test
  void aSpecThatBecameInvalidDoesNotEndTheRunningAttempt() {
    var observation = observed(List.of(job(1, null)), runningPod(1));

    assertThat(NextStepDecider.decide(running(), INVALID, observation, NOW))
        .isInstanceOf(NextStep.KeepRunning.class);
  }

  @Test
  void aJobThatIsAppliedSuspendedStartsNothing() {
    assertThat(decide(suspended(applied()), Observation.NOTHING))
        .isEqualTo(new NextStep.StaySuspended(Optional.empty()));
  }

  @Test
  void aRunningAttemptGoesOn() {
    var step = decide(running(), observed(List.of(job(1, null)), runningPod(1)));

    assertThat(step)
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(
            keep -> {
              assertThat(keep.stage().reason()).isEqualTo(ConditionReason.TrainerRunning);
              assertThat(keep.pods()).isEqualTo(AttemptPods.of(runningPod(1)));
            });
  }

  @Test
  void aPodThatEndedWellCompletesTheJobBeforeItsJobSaysSo() {
    var step =
        decide(running(), observed(List.of(job(1, null)), endedPod(1, 0, "Completed", "done")));

    assertThat(step)
        .asInstanceOf(type(NextStep.Complete.class))
        .satisfies(
            complete ->
                assertThat(complete.end().attempt().outcome()).isEqualTo(AttemptOutcome.Succeeded));
  }

  @Test
  void aPodThatFailedIsLeftToItsJob() {
    var step = decide(running(), observed(List.of(job(1, null)), endedPod(1, 70, "Error", "bug")));

    assertThat(step).isInstanceOf(NextStep.KeepRunning.class);
  }

  @Test
  void suspendDeletesTheRunningAttemptsJob() {
    var step = decide(suspended(running()), observed(List.of(job(1, null)), runningPod(1)));

    assertThat(step)
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(
            end -> {
              assertThat(end.job()).contains("tune-1");
              assertThat(end.reason()).isEqualTo(ConditionReason.SuspendRequested);
            });
  }

  @Test
  void suspendWaitsForThePodToEndAfterItsJobIsGone() {
    var step = decide(suspended(running()), observed(List.of(), runningPod(1)));

    assertThat(step)
        .asInstanceOf(type(NextStep.EndAttempt.class))
        .satisfies(end -> assertThat(end.job()).isEmpty());
  }

  @Test
  void suspendEndsTheAttemptAsInterruptedAndKeepsItsLastWords() {
    var words = lastWords(TrainerExit.TRY_AGAIN, "saved", progress(30, 30, null));
    var step = decide(suspended(running()), observed(List.of(), endedPod(1, 75, "Error", words)));

    AttemptEnd end = ((NextStep.StaySuspended) step).end().orElseThrow();
    assertThat(end.attempt().outcome()).isEqualTo(AttemptOutcome.Interrupted);
    assertThat(end.attempt().reason()).isEqualTo(ConditionReason.SuspendRequested);
    assertThat(end.progress().training().step()).isEqualTo(30);
  }

  @Test
  void aJobThatWeDeletedIsNotTakenForDeletedBySomebodyWhenSuspendIsTakenBack() {
    FineTuneJob job = running();
    job.setStatus(
        new StatusCalculator(job, VALID, NOW)
            .ending(ConditionReason.SuspendRequested, "saving", AttemptPods.NONE, Progress.NONE));

    NextStep step = decide(job, Observation.NOTHING);

    assertThat(step)
        .asInstanceOf(type(NextStep.Restart.class))
        .satisfies(
            restart -> {
              assertThat(restart.end().attempt().reason())
                  .isEqualTo(ConditionReason.SuspendRequested);
              assertThat(restart.delay()).isEqualTo(Duration.ZERO);
            });
  }

  @Test
  void aResumedJobStartsItsNextAttemptAtOnce() {
    var ended =
        attempt(
            1, AttemptOutcome.Interrupted, ConditionReason.SuspendRequested, NOW.minusSeconds(1));

    assertThat(decide(with(applied(), ended), Observation.NOTHING))
        .isEqualTo(new NextStep.StartAttempt(2));
  }

  @Test
  void noAttemptStartsWhileAPodOfAnEarlierOneMayStillWrite() {
    var ended =
        attempt(
            1, AttemptOutcome.Interrupted, ConditionReason.SuspendRequested, NOW.minusSeconds(1));

    assertThat(decide(with(applied(), ended), observed(List.of(), runningPod(1))))
        .asInstanceOf(type(NextStep.Wait.class))
        .satisfies(wait -> assertThat(wait.message()).contains("tune-1-0-abcde"));
  }

  @Test
  void aCompleteJobCompletesWithTheTrainersLastWords() {
    var words = lastWords(TrainerExit.DONE, "done", progress(100, 100, null));
    var step =
        decide(
            running(), observed(List.of(job(1, "Complete")), endedPod(1, 0, "Completed", words)));

    AttemptEnd end = ((NextStep.Complete) step).end();
    assertThat(end.progress().training().step()).isEqualTo(100);
    assertThat(end.attempt().endTime()).isEqualTo("2026-01-01T00:09:00Z");
    // Two GPUs from 00:06, when the pod got its node, to 00:09.
    assertThat(
            new StatusCalculator(running(), VALID, NOW)
                .succeeded(end)
                .attempts()
                .get(0)
                .gpuSeconds())
        .isEqualTo(360);
  }

  @Test
  void aCompleteJobCompletesAlsoWithoutPodOrProgress() {
    assertThat(decide(running(), observed(List.of(job(1, "Complete")))))
        .isInstanceOf(NextStep.Complete.class);
  }

  @Test
  void aJobThatEndedWhileSuspendWasSetStillCounts() {
    assertThat(decide(suspended(running()), observed(List.of(job(1, "Complete")))))
        .isInstanceOf(NextStep.Complete.class);
  }

  @ParameterizedTest
  @EnumSource(
      value = TrainerExit.class,
      names = {"USAGE", "DATA", "MODEL", "OUT_OF_MEMORY", "NON_FINITE_LOSS"})
  void anExitThatWouldBeTheSameAgainFails(TrainerExit exit) {
    var step = decide(running(), failedWith(exit));

    assertThat(step)
        .asInstanceOf(type(NextStep.Fail.class))
        .satisfies(
            fail -> {
              assertThat(fail.reason()).isEqualTo(exit.reason());
              assertThat(fail.message()).contains("what to do");
            });
  }

  @ParameterizedTest
  @EnumSource(
      value = TrainerExit.class,
      names = {"INTERNAL", "OUTPUT"})
  void anExitThatMayNotComeAgainRestartsAfterTheBackoff(TrainerExit exit) {
    var step = decide(running(), failedWith(exit));

    assertThat(step)
        .asInstanceOf(type(NextStep.Restart.class))
        .satisfies(
            restart -> {
              assertThat(restart.end().attempt().outcome()).isEqualTo(AttemptOutcome.Failed);
              assertThat(restart.message())
                  .contains("attempt 2 starts at 2026-01-01T00:09:10Z")
                  .contains("what to do");
              // It ended a minute ago, so its ten seconds are over.
              assertThat(restart.delay()).isEqualTo(Duration.ZERO);
            });
  }

  @Test
  void theLastRestartIsTheLast() {
    Instant end = NOW.minusSeconds(60);
    FineTuneJob job =
        with(
            applied(),
            attempt(1, AttemptOutcome.Failed, ConditionReason.InternalError, end),
            attempt(2, AttemptOutcome.Failed, ConditionReason.InternalError, end),
            attempt(3, AttemptOutcome.Failed, ConditionReason.InternalError, end),
            attempt(4, AttemptOutcome.Running, null, null));

    assertThat(decide(job, observed(List.of(job(4, "Failed")), endedPod(4, 70, "Error", ""))))
        .asInstanceOf(type(NextStep.Fail.class))
        .satisfies(fail -> assertThat(fail.message()).contains("spec.retry.maxRestarts is 3"));
  }

  @Test
  void anInterruptionRestartsHoweverManyFailuresThereWere() {
    Instant end = NOW.minusSeconds(60);
    FineTuneJob job =
        with(
            applied(),
            attempt(1, AttemptOutcome.Failed, ConditionReason.InternalError, end),
            attempt(2, AttemptOutcome.Failed, ConditionReason.InternalError, end),
            attempt(3, AttemptOutcome.Failed, ConditionReason.InternalError, end),
            attempt(4, AttemptOutcome.Running, null, null));

    assertThat(decide(job, observed(List.of(job(4, "Failed")), endedPod(4, 75, "Error", ""))))
        .isInstanceOf(NextStep.Restart.class);
  }

  @Test
  void aJobDeletedBySomebodyIsAnInterruption() {
    assertThat(decide(running(), Observation.NOTHING))
        .asInstanceOf(type(NextStep.Restart.class))
        .satisfies(
            restart ->
                assertThat(restart.end().attempt().reason()).isEqualTo(ConditionReason.JobDeleted));
  }

  @Test
  void aJobDeletedAfterItsPodEndedWellIsDone() {
    assertThat(decide(running(), observed(List.of(), endedPod(1, 0, "Completed", "done"))))
        .isInstanceOf(NextStep.Complete.class);
  }

  @Test
  void theBackoffIsWaitedForWithTheMessageThatTheEndOfTheAttemptHad() {
    FineTuneJob job = running();
    var observation = observed(List.of(job(1, "Failed")), endedPod(1, 70, "Error", "boom"));
    NextStep.Restart restart = (NextStep.Restart) decide(job, observation);
    job.setStatus(
        new StatusCalculator(job, VALID, NOW).restarting(restart.end(), restart.message()));

    var soon = Instant.parse("2026-01-01T00:09:04Z");
    NextStep step = NextStepDecider.decide(job, VALID, observation, soon);

    assertThat(step)
        .isEqualTo(
            new NextStep.Wait(
                ConditionReason.BackingOff, restart.message(), Duration.ofSeconds(6)));
    assertThat(
            new StatusCalculator(job, VALID, soon)
                .waiting(ConditionReason.BackingOff, restart.message()))
        .isEqualTo(job.getStatus());
  }

  @Test
  void aTerminalJobRestsWhateverBecomesOfItsChildren() {
    FineTuneJob job = running();
    var end = AttemptEnd.succeeded(job.getStatus().attempts().get(0), AttemptPods.NONE, NOW);
    FineTuneJobStatus succeeded = new StatusCalculator(job, VALID, NOW).succeeded(end);
    job.setStatus(succeeded);

    var rest = new NextStep.Rest(Optional.empty());
    assertThat(decide(job, Observation.NOTHING)).isEqualTo(rest);
    assertThat(decide(suspended(job), Observation.NOTHING)).isEqualTo(rest);
  }

  @Test
  void aPodOfADeletedJobWithTheSameNameIsNotOurs() {
    var stranger = runningPod(1);
    stranger.getMetadata().getOwnerReferences().get(0).setUid("another");

    assertThat(decide(running(), observed(List.of(job(1, null)), stranger)))
        .asInstanceOf(type(NextStep.KeepRunning.class))
        .satisfies(keep -> assertThat(keep.stage().reason()).isEqualTo(ConditionReason.JobCreated));
  }

  @Test
  void severalPodsAreAwaitedBeforeTheAttemptCountsAsFailed() {
    var failed = at(1, endedPod(1, 65, "Error", lastWords(TrainerExit.DATA, "row 3", null)));
    var saving = at(0, deleted(runningPod(1), NOW.plusSeconds(30)));

    assertThat(decide(running(), observed(List.of(jobOf(2, 1, "Failed")), saving, failed)))
        .isInstanceOf(NextStep.KeepRunning.class);
    assertThat(
            decide(
                running(),
                observed(
                    List.of(jobOf(2, 1, "Failed")),
                    at(0, deleted(endedPod(1, 75, "Error", "saved"), NOW.plusSeconds(30))),
                    failed)))
        .asInstanceOf(type(NextStep.Fail.class))
        .satisfies(fail -> assertThat(fail.reason()).isEqualTo(ConditionReason.DataError));
  }

  @Test
  void rankZerosSuccessWaitsForTheOthersToEndAndNotForTheirJob() {
    var done = at(0, endedPod(1, 0, "Completed", "done"));

    assertThat(decide(running(), observed(List.of(jobOf(2, 1, null)), done, at(1, runningPod(1)))))
        .isInstanceOf(NextStep.KeepRunning.class);
    assertThat(
            decide(
                running(),
                observed(List.of(jobOf(2, 1, null)), done, at(1, endedPod(1, 74, "Error", "")))))
        .isInstanceOf(NextStep.Complete.class);
  }

  @Test
  void theNextAttemptWaitsForEveryPodOfTheLast() {
    var job =
        with(
            applied(),
            attempt(1, AttemptOutcome.Failed, ConditionReason.RankLost, NOW.minusSeconds(60)));

    assertThat(
            decide(
                job,
                observed(List.of(), at(0, endedPod(1, 74, "Error", "")), at(1, runningPod(1)))))
        .asInstanceOf(type(NextStep.Wait.class))
        .satisfies(wait -> assertThat(wait.message()).contains("tune-1-1-abcde"));
  }

  @Test
  void aLostRankIsCountedAndTriedAgain() {
    var step =
        decide(
            running(),
            observed(
                List.of(jobOf(2, 1, "Failed")),
                at(0, endedPod(1, 74, "Error", lastWords(TrainerExit.RANK_LOST, "rank 2", null))),
                at(1, endedPod(1, 74, "Error", ""))));

    assertThat(step)
        .asInstanceOf(type(NextStep.Restart.class))
        .satisfies(
            restart ->
                assertThat(restart.end().attempt().outcome()).isEqualTo(AttemptOutcome.Failed));
  }

  private static Observation failedWith(TrainerExit exit) {
    var words = lastWords(exit, "what to do", null);
    return observed(List.of(job(1, "Failed")), endedPod(1, exit.code(), "Error", words));
  }

  private static NextStep decide(FineTuneJob job, Observation observation) {
    return NextStepDecider.decide(job, VALID, observation, NOW);
  }

  private static FineTuneJob suspended(FineTuneJob job) {
    return Jobs.with(job, "suspend: true");
  }
}
