package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.Progress;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * How an attempt ended.
 *
 * @param attempt the attempt with its end filled in, but for the steps that it lost and the time
 *     for which it held GPUs
 * @param pod its last pod, where that is still there
 * @param progress the trainer's last word on it; {@link Progress#NONE} where it left none
 * @param retryable whether another attempt could end otherwise
 */
public record AttemptEnd(Attempt attempt, Optional<Pod> pod, Progress progress, boolean retryable) {

  /** It wrote the adapter. */
  public static AttemptEnd succeeded(Attempt attempt, Optional<Pod> pod, Instant now) {
    var done =
        new Failure(
            AttemptOutcome.Succeeded,
            ConditionReason.Completed,
            0,
            "the adapter is written",
            false);
    return of(attempt, done, pod, now);
  }

  /** Its Job failed. */
  public static AttemptEnd failed(Attempt attempt, Optional<Pod> pod, Instant now) {
    return of(attempt, FailureClassifier.classify(pod), pod, now);
  }

  /** Its Job was deleted by somebody else. */
  public static AttemptEnd jobDeleted(Attempt attempt, Optional<Pod> pod, Instant now) {
    return of(
        attempt,
        Failure.interrupted(
            ConditionReason.JobDeleted,
            exitCode(attempt, pod),
            "Job " + attempt.job() + " was deleted"),
        pod,
        now);
  }

  /**
   * The operator ended it.
   *
   * @param reason why: suspended, past a deadline, stalled, or its pod was lost
   * @param message the same for people
   */
  public static AttemptEnd byOperator(
      Attempt attempt, ConditionReason reason, String message, Optional<Pod> pod, Instant now) {
    Integer exitCode = exitCode(attempt, pod);
    Failure how =
        switch (reason) {
          case SuspendRequested -> Failure.interrupted(reason, exitCode, "ended by spec.suspend");
          case Disrupted -> Failure.interrupted(reason, exitCode, message);
          default -> Failure.failed(reason, exitCode, message, reason == ConditionReason.Stalled);
        };
    return of(attempt, how, pod, now);
  }

  /** Whether the trainer said that the adapter is written, whatever was done to it meanwhile. */
  public static boolean done(Attempt attempt, Optional<Pod> pod) {
    return Integer.valueOf(0).equals(exitCode(attempt, pod));
  }

  private static AttemptEnd of(Attempt attempt, Failure how, Optional<Pod> pod, Instant now) {
    Optional<ContainerStateTerminated> terminated = pod.flatMap(PodFacts::terminated);
    String end =
        terminated
            .map(ContainerStateTerminated::getFinishedAt)
            .or(() -> Optional.ofNullable(attempt.endTime()))
            .orElse(now.truncatedTo(ChronoUnit.SECONDS).toString());
    AttemptDraft draft = AttemptDraft.of(attempt);
    draft.endTime = end;
    draft.outcome = how.outcome();
    draft.reason = how.reason();
    draft.exitCode = how.exitCode();
    draft.message = how.message();
    draft.node = pod.map(each -> each.getSpec().getNodeName()).orElse(attempt.node());
    Optional<LastWords> words = terminated.map(LastWords::of);
    if (how.outcome() == AttemptOutcome.Succeeded) {
      draft.log = null;
    } else if (words.isPresent()) {
      draft.log = words.get().logOrNull();
    }
    Progress progress = words.map(LastWords::progress).orElse(Progress.NONE);
    return new AttemptEnd(
        draft.build(), pod, progress == null ? Progress.NONE : progress, how.retryable());
  }

  private static Integer exitCode(Attempt attempt, Optional<Pod> pod) {
    return pod.flatMap(PodFacts::terminated)
        .map(ContainerStateTerminated::getExitCode)
        .orElse(attempt.exitCode());
  }
}
