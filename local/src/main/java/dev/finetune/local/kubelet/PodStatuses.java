package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import java.time.Instant;
import java.util.List;

/** The statuses that a pod goes through. */
final class PodStatuses {
  private PodStatuses() {}

  static PodStatus unschedulable(String message, Instant now) {
    return new PodStatusBuilder()
        .withPhase("Pending")
        .withConditions(condition("PodScheduled", false, "Unschedulable", message, now))
        .build();
  }

  /** The container can't start, or not yet. */
  static PodStatus waiting(Container container, String reason, String message, Instant now) {
    ContainerState state =
        new ContainerStateBuilder()
            .withNewWaiting()
            .withReason(reason)
            .withMessage(message)
            .endWaiting()
            .build();
    return of("Pending", container, state, false, now).build();
  }

  static PodStatus running(Container container, String address, Instant started) {
    ContainerState state =
        new ContainerStateBuilder()
            .withNewRunning()
            .withStartedAt(started.toString())
            .endRunning()
            .build();
    return of("Running", container, state, true, started)
        .withPodIP(address)
        .withHostIP("127.0.0.1")
        .withStartTime(started.toString())
        .build();
  }

  static PodStatus terminated(
      PodStatus running, Container container, int exitCode, String message, Instant now) {
    ContainerState state =
        new ContainerStateBuilder()
            .withNewTerminated()
            .withExitCode(exitCode)
            .withReason(exitCode == 0 ? "Completed" : "Error")
            .withMessage(message.isEmpty() ? null : message)
            .withStartedAt(running.getStartTime())
            .withFinishedAt(now.toString())
            .endTerminated()
            .build();
    return of(exitCode == 0 ? "Succeeded" : "Failed", container, state, false, now)
        .withPodIP(running.getPodIP())
        .withHostIP(running.getHostIP())
        .withStartTime(running.getStartTime())
        .build();
  }

  /** The pod ended before its container had started. */
  static PodStatus neverStarted(String message) {
    return new PodStatusBuilder()
        .withPhase("Failed")
        .withReason("StartError")
        .withMessage(message)
        .build();
  }

  static boolean ended(Pod pod) {
    String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }

  private static PodStatusBuilder of(
      String phase, Container container, ContainerState state, boolean ready, Instant now) {
    return new PodStatusBuilder()
        .withPhase(phase)
        .withConditions(
            List.of(
                condition("PodScheduled", true, null, null, now),
                condition("Ready", ready, null, null, now)))
        .addNewContainerStatus()
        .withName(container.getName())
        .withImage(container.getImage())
        .withImageID("")
        .withRestartCount(0)
        .withReady(ready)
        .withStarted(ready)
        .withState(state)
        .endContainerStatus();
  }

  private static PodCondition condition(
      String type, boolean holds, String reason, String message, Instant now) {
    return new PodConditionBuilder()
        .withType(type)
        .withStatus(holds ? "True" : "False")
        .withReason(reason)
        .withMessage(message)
        .withLastTransitionTime(now.toString())
        .build();
  }
}
