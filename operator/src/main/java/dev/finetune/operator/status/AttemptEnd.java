package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.Progress;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * How an attempt ended.
 *
 * @param attempt the attempt with its end filled in, but for the steps it lost
 * @param progress the trainer's last word on it; {@link Progress#NONE} where it left none
 * @param retryable whether another attempt could end otherwise
 */
public record AttemptEnd(Attempt attempt, Progress progress, boolean retryable) {

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

  /** It was ended by {@code spec.suspend}. */
  public static AttemptEnd suspended(Attempt attempt, Optional<Pod> pod, Instant now) {
    return of(
        attempt,
        Failure.interrupted(
            ConditionReason.SuspendRequested, exitCode(pod), "ended by spec.suspend"),
        pod,
        now);
  }

  /** Its Job was deleted by somebody else. */
  public static AttemptEnd jobDeleted(Attempt attempt, Optional<Pod> pod, Instant now) {
    return of(
        attempt,
        Failure.interrupted(
            ConditionReason.JobDeleted, exitCode(pod), "Job " + attempt.job() + " was deleted"),
        pod,
        now);
  }

  private static AttemptEnd of(Attempt attempt, Failure how, Optional<Pod> pod, Instant now) {
    Optional<ContainerStateTerminated> terminated = pod.flatMap(PodFacts::terminated);
    Instant end =
        terminated
            .map(ContainerStateTerminated::getFinishedAt)
            .map(Instant::parse)
            .orElse(now.truncatedTo(ChronoUnit.SECONDS));
    var ended =
        new Attempt(
            attempt.number(),
            attempt.job(),
            attempt.startTime(),
            end.toString(),
            how.outcome(),
            how.reason(),
            how.exitCode(),
            pod.map(each -> each.getSpec().getNodeName()).orElse(attempt.node()),
            how.message(),
            null,
            attempt.preemptions(),
            attempt.resumedFromStep(),
            attempt.lostSteps(),
            gpuSeconds(pod, end));
    Progress progress =
        terminated.map(LastWords::of).map(LastWords::progress).orElse(Progress.NONE);
    return new AttemptEnd(ended, progress == null ? Progress.NONE : progress, how.retryable());
  }

  private static Integer exitCode(Optional<Pod> pod) {
    return pod.flatMap(PodFacts::terminated)
        .map(ContainerStateTerminated::getExitCode)
        .orElse(null);
  }

  /** Null where the pod is gone and with it the knowledge of how long it held its GPUs. */
  private static Long gpuSeconds(Optional<Pod> pod, Instant end) {
    return pod.flatMap(
            each ->
                PodFacts.scheduledTime(each)
                    .map(
                        start ->
                            PodFacts.gpus(each.getSpec())
                                * Math.max(0, Duration.between(start, end).toSeconds())))
        .orElse(null);
  }
}
