package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * For how long an attempt's pod had its node, and for how much of that its trainer ran.
 *
 * @param scheduledSeconds with a node, and so with GPUs
 * @param runningSeconds with a running trainer
 */
public record HeldTime(long scheduledSeconds, long runningSeconds) {
  private static final HeldTime NONE = new HeldTime(0, 0);

  /**
   * Up to {@code end}, by the pod, or where that is gone by the status's own memory. Zero where the
   * attempt waits in its queue, as what it held before was counted when it got there.
   */
  static HeldTime of(FineTuneJobStatus previous, Optional<Pod> pod, Instant end) {
    if (Conditions.runningReason(previous).filter(ConditionReason.Queued::equals).isPresent()) {
      return NONE;
    }
    Optional<Instant> scheduled = pod.flatMap(PodFacts::scheduledTime);
    Optional<Instant> started = pod.flatMap(PodFacts::startedTime);
    Instant stopped =
        pod.flatMap(PodFacts::terminated)
            .map(ContainerStateTerminated::getFinishedAt)
            .map(Instant::parse)
            .orElse(end);
    return new HeldTime(
        seconds(scheduled.or(() -> since(previous, ConditionType.Scheduled)), end),
        seconds(started.or(() -> since(previous, ConditionType.Running)), stopped));
  }

  /**
   * Seconds for which the job's trainers have run up to now.
   *
   * @param pod that of the running attempt
   */
  public static long active(FineTuneJobStatus status, Optional<Pod> pod, Instant now) {
    return before(status) + of(status, pod, now).runningSeconds;
  }

  /** Seconds that the status has counted already. */
  static long before(FineTuneJobStatus status) {
    return Objects.requireNonNullElse(status == null ? null : status.activeSeconds(), 0L);
  }

  private static Optional<Instant> since(FineTuneJobStatus status, ConditionType type) {
    return Conditions.find(status, type)
        .filter(condition -> "True".equals(condition.getStatus()))
        .map(Condition::getLastTransitionTime)
        .map(Instant::parse);
  }

  private static long seconds(Optional<Instant> start, Instant end) {
    return start.map(time -> Math.max(0, Duration.between(time, end).toSeconds())).orElse(0L);
  }
}
