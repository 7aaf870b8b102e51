package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.Progress;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.Optional;

/**
 * How an attempt ended.
 *
 * @param attempt the attempt with its end filled in, but for the steps that it lost and the time
 *     for which it held GPUs
 * @param pods its last pods, as far as they are still there
 * @param progress rank 0's last word on it; {@link Progress#NONE} where it left none
 * @param retryable whether another attempt could end otherwise
 */
public record AttemptEnd(Attempt attempt, AttemptPods pods, Progress progress, boolean retryable) {

  /** It wrote the adapter. */
  public static AttemptEnd succeeded(Attempt attempt, AttemptPods pods, Instant now) {
    var done =
        new Failure(
            AttemptOutcome.Succeeded,
            ConditionReason.Completed,
            0,
            "the adapter is written",
            false);
    return of(attempt, new Verdict(done, pods.first(), null), pods, now);
  }

  /** Its Job failed. */
  public static AttemptEnd failed(Attempt attempt, AttemptPods pods, Instant now) {
    return of(attempt, Verdict.of(pods), pods, now);
  }

  /** Its Job was deleted by somebody else. */
  public static AttemptEnd jobDeleted(Attempt attempt, AttemptPods pods, Instant now) {
    var how =
        Failure.interrupted(
            ConditionReason.JobDeleted,
            exitCode(attempt, pods),
            "Job " + attempt.job() + " was deleted");
    return of(attempt, new Verdict(how, pods.first(), null), pods, now);
  }

  /**
   * The operator ended it.
   *
   * @param reason why: suspended, past a deadline, stalled, or a pod of it was lost
   * @param message the same for people
   */
  public static AttemptEnd byOperator(
      Attempt attempt, ConditionReason reason, String message, AttemptPods pods, Instant now) {
    Integer exitCode = exitCode(attempt, pods);
    Failure how =
        switch (reason) {
          case SuspendRequested -> Failure.interrupted(reason, exitCode, "ended by spec.suspend");
          case Disrupted -> Failure.interrupted(reason, exitCode, message);
          default -> Failure.failed(reason, exitCode, message, reason == ConditionReason.Stalled);
        };
    var verdict = new Verdict(how, pods.first(), null);
    return of(
        attempt,
        // A pod may be lost while it is ended because another one had failed.
        reason == ConditionReason.Disrupted ? Verdict.ofOwnFailure(pods).orElse(verdict) : verdict,
        pods,
        now);
  }

  /**
   * Whether the trainer said that the adapter is written, whatever was done to it meanwhile. Rank 0
   * says so; of several pods the others have ended too, however.
   */
  public static boolean done(Attempt attempt, AttemptPods pods) {
    return Integer.valueOf(0).equals(exitCode(attempt, pods))
        && pods.stream().filter(pod -> AttemptPods.index(pod) > 0).allMatch(PodFacts::ended);
  }

  /** Whether rank 0 said so, whatever the others do. */
  public static boolean doneByFirst(AttemptPods pods) {
    return pods.first()
        .flatMap(PodFacts::terminated)
        .filter(state -> Integer.valueOf(0).equals(state.getExitCode()))
        .isPresent();
  }

  private static AttemptEnd of(Attempt attempt, Verdict verdict, AttemptPods pods, Instant now) {
    Failure how = verdict.failure();
    String end =
        pods.stream()
            .flatMap(pod -> PodFacts.finishedTime(pod).stream())
            .max(Comparator.naturalOrder())
            .map(Instant::toString)
            .or(() -> Optional.ofNullable(attempt.endTime()))
            .orElse(now.truncatedTo(ChronoUnit.SECONDS).toString());
    AttemptDraft draft = AttemptDraft.of(attempt);
    draft.endTime = end;
    draft.outcome = how.outcome();
    draft.reason = how.reason();
    draft.exitCode = how.exitCode();
    draft.message = how.message();
    draft.rank = verdict.rank();
    // A rank that hangs is told of by another one, perhaps on another node.
    draft.node =
        Optional.ofNullable(verdict.rank())
            .flatMap(pods::ofRank)
            .or(verdict::pod)
            .map(each -> each.getSpec().getNodeName())
            .orElse(attempt.node());
    Optional<LastWords> words = words(verdict.pod());
    if (how.outcome() == AttemptOutcome.Succeeded) {
      draft.log = null;
    } else if (words.isPresent()) {
      draft.log = words.get().logOrNull();
    }
    Progress progress = words(pods.first()).map(LastWords::progress).orElse(Progress.NONE);
    return new AttemptEnd(
        draft.build(), pods, progress == null ? Progress.NONE : progress, how.retryable());
  }

  private static Optional<LastWords> words(Optional<Pod> pod) {
    return pod.flatMap(PodFacts::terminated).map(LastWords::of);
  }

  private static Integer exitCode(Attempt attempt, AttemptPods pods) {
    return pods.first()
        .flatMap(PodFacts::terminated)
        .map(ContainerStateTerminated::getExitCode)
        .orElse(attempt.exitCode());
  }
}
