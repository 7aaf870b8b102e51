package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.operator.resources.TrainerContainer;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Reads what matters from a pod. */
final class PodFacts {
  private PodFacts() {}

  static Optional<PodCondition> condition(Pod pod, String type) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getConditions().stream()
            .filter(condition -> type.equals(condition.getType()))
            .findFirst();
  }

  static Optional<ContainerState> state(Pod pod) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getContainerStatuses().stream()
            .filter(status -> TrainerContainer.NAME.equals(status.getName()))
            .map(ContainerStatus::getState)
            .filter(state -> state != null)
            .findFirst();
  }

  static Optional<ContainerStateTerminated> terminated(Pod pod) {
    return state(pod).map(ContainerState::getTerminated);
  }

  /** When the trainer's process ended. */
  static Optional<Instant> finishedTime(Pod pod) {
    return terminated(pod).map(ContainerStateTerminated::getFinishedAt).map(Instant::parse);
  }

  /** Whether no process of the pod runs any more. */
  static boolean ended(Pod pod) {
    String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }

  /** When somebody asked for the pod's deletion; its timestamp is the end of its grace period. */
  static Optional<Instant> deletionRequest(Pod pod) {
    Long given = pod.getMetadata().getDeletionGracePeriodSeconds();
    Long own = pod.getSpec() == null ? null : pod.getSpec().getTerminationGracePeriodSeconds();
    long grace = given != null ? given : Objects.requireNonNullElse(own, 0L);
    return Optional.ofNullable(pod.getMetadata().getDeletionTimestamp())
        .map(end -> Instant.parse(end).minusSeconds(grace));
  }

  /** How many of several ranks the pod has; empty where one trains alone. */
  static Optional<Integer> ranks(Pod pod) {
    return pod.getSpec() == null
        ? Optional.empty()
        : pod.getSpec().getContainers().stream()
            .filter(container -> TrainerContainer.NAME.equals(container.getName()))
            .flatMap(container -> container.getEnv().stream())
            .filter(variable -> TrainerEnvironment.RANKS_PER_NODE.equals(variable.getName()))
            .map(EnvVar::getValue)
            .filter(value -> value != null && value.matches("[1-9][0-9]{0,3}"))
            .map(Integer::valueOf)
            .findFirst();
  }

  /**
   * The kubelet's word where the container runtime could not start the trainer's process at all.
   * Such a state is a terminated one whose start lies in 1970.
   */
  static Optional<ContainerStateTerminated> startError(Pod pod) {
    return terminated(pod)
        .filter(
            state ->
                "StartError".equals(state.getReason())
                    || "ContainerCannotRun".equals(state.getReason()));
  }

  /** When the pod got its node, and with it its GPUs. */
  static Optional<Instant> scheduledTime(Pod pod) {
    return condition(pod, "PodScheduled")
        .filter(condition -> "True".equals(condition.getStatus()))
        .map(PodCondition::getLastTransitionTime)
        .map(Instant::parse);
  }

  /** When the trainer's process started. */
  static Optional<Instant> startedTime(Pod pod) {
    return state(pod)
        .filter(state -> startError(pod).isEmpty())
        .flatMap(
            state ->
                state.getRunning() != null
                    ? Optional.ofNullable(state.getRunning().getStartedAt())
                    : Optional.ofNullable(state.getTerminated())
                        .map(ContainerStateTerminated::getStartedAt))
        .map(Instant::parse);
  }

  static boolean hasMemoryLimit(Pod pod) {
    return limits(pod.getSpec()).containsKey("memory");
  }

  /** Extended resources, the only ones with a domain, are GPUs here. */
  static int gpus(PodSpec spec) {
    return limits(spec).entrySet().stream()
        .filter(limit -> limit.getKey().contains("/"))
        .mapToInt(limit -> limit.getValue().getNumericalAmount().intValue())
        .sum();
  }

  private static Map<String, Quantity> limits(PodSpec spec) {
    return spec == null
        ? Map.of()
        : spec.getContainers().stream()
            .filter(container -> TrainerContainer.NAME.equals(container.getName()))
            .filter(container -> container.getResources() != null)
            .map(container -> container.getResources().getLimits())
            .filter(limits -> limits != null)
            .findFirst()
            .orElse(Map.of());
  }
}
