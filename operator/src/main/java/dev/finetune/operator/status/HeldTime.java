package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * For how long an attempt's pods had their nodes, and for how much of that its trainer ran.
 *
 * @param gpuSeconds GPUs of each pod times the seconds for which it had a node, over all pods
 * @param runningSeconds with a running trainer, in every pod
 */
public record HeldTime(long gpuSeconds, long runningSeconds) {
  private static final HeldTime NONE = new HeldTime(0, 0);

  /**
   * Up to {@code end}, by the pods, or where they are gone by the status's own memory. Zero where
   * the attempt waits in its queue, as what it held before was counted when it got there.
   *
   * @param gpus those of all pods, for where none is left to tell
   */
  static HeldTime of(FineTuneJobStatus previous, AttemptPods pods, Instant end, int gpus) {
    if (Conditions.runningReason(previous).filter(ConditionReason.Queued::equals).isPresent()) {
      return NONE;
    }
    return new HeldTime(gpuSeconds(previous, pods, end, gpus), running(previous, pods, end));
  }

  /**
   * Seconds for which the job's trainers have run up to now.
   *
   * @param pods those of the running attempt
   */
  public static long active(FineTuneJobStatus status, AttemptPods pods, Instant now) {
    boolean queued =
        Conditions.runningReason(status).filter(ConditionReason.Queued::equals).isPresent();
    return before(status) + (queued ? 0 : running(status, pods, now));
  }

  /** Seconds that the status has counted already. */
  static long before(FineTuneJobStatus status) {
    return Objects.requireNonNullElse(status == null ? null : status.activeSeconds(), 0L);
  }

  private static long gpuSeconds(
      FineTuneJobStatus previous, AttemptPods pods, Instant end, int gpus) {
    Optional<Instant> known = since(previous, ConditionType.Scheduled);
    if (pods.pods().isEmpty()) {
      return gpus * seconds(known, end);
    }
    long held = 0;
    for (Pod pod : pods.pods()) {
      Instant until = PodFacts.finishedTime(pod).orElse(end);
      held +=
          PodFacts.gpus(pod.getSpec())
              * seconds(PodFacts.scheduledTime(pod).or(() -> known), until);
    }
    int gone = pods.expected() - pods.pods().size();
    return held + seconds(known, end) * gone * PodFacts.gpus(pods.pods().get(0).getSpec());
  }

  /** From the last pod's start to the first one's end: with fewer there is no training. */
  private static long running(FineTuneJobStatus previous, AttemptPods pods, Instant end) {
    List<Instant> starts =
        pods.stream().flatMap(pod -> PodFacts.startedTime(pod).stream()).toList();
    Optional<Instant> started =
        starts.size() < pods.expected()
            ? Optional.empty()
            : starts.stream().max(Comparator.naturalOrder());
    Instant stopped =
        pods.stream()
            .flatMap(pod -> PodFacts.finishedTime(pod).stream())
            .min(Comparator.naturalOrder())
            .orElse(end);
    return seconds(started.or(() -> since(previous, ConditionType.Running)), stopped);
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
