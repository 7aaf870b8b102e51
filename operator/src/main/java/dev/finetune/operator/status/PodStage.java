package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.ConditionReason;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.Optional;

/**
 * How far an attempt's pod has come, in the words of whoever holds it up.
 *
 * @param scheduled whether it has a node
 * @param running whether the trainer's process runs
 */
public record PodStage(boolean scheduled, boolean running, ConditionReason reason, String message) {

  /**
   * Reads it from the pod.
   *
   * @param job the Job that creates the pod
   * @param refusal the API server's words where it refuses the Job its pod
   */
  public static PodStage of(Job job, Optional<Pod> pod, Optional<String> refusal) {
    return QueueState.waits(job)
        ? QueueState.stage(job, pod.filter(each -> running(each) && !ended(each)))
        : of(job.getMetadata().getName(), pod, refusal);
  }

  /** As {@link #of(Job, Optional, Optional)}, of an attempt whose Job is gone or goes on. */
  public static PodStage of(String job, Optional<Pod> pod, Optional<String> refusal) {
    return pod.map(PodStage::of).orElseGet(() -> withoutPod(job, refusal));
  }

  /** Whether every pod goes through it on its way to run. */
  public boolean passing() {
    return reason == ConditionReason.JobCreated || reason == ConditionReason.PodStarting;
  }

  /** Whether an event may fail to come: a trainer is asked, and a refused pod only looked for. */
  public boolean polled() {
    return running
        || reason == ConditionReason.JobCreated
        || reason == ConditionReason.ChildRefused;
  }

  private static PodStage withoutPod(String job, Optional<String> refusal) {
    return refusal
        .map(
            words ->
                new PodStage(
                    false,
                    false,
                    ConditionReason.ChildRefused,
                    "Job " + job + " gets no pod: " + words))
        .orElseGet(
            () ->
                new PodStage(
                    false,
                    false,
                    ConditionReason.JobCreated,
                    "Job " + job + " is created, its pod is not there yet"));
  }

  private static PodStage of(Pod pod) {
    String name = "Pod " + pod.getMetadata().getName();
    if (running(pod)) {
      String doing =
          pod.getMetadata().getDeletionTimestamp() == null || ended(pod)
              ? " trains"
              : " is being deleted and saves a checkpoint";
      return new PodStage(true, true, ConditionReason.TrainerRunning, name + doing + onNode(pod));
    }
    if (!scheduled(pod)) {
      var refusal =
          PodFacts.condition(pod, "PodScheduled")
              .filter(condition -> "False".equals(condition.getStatus()));
      return refusal
          .map(
              condition ->
                  new PodStage(
                      false,
                      false,
                      ConditionReason.Unschedulable,
                      name + " has no node: " + condition.getMessage()))
          .orElseGet(
              () ->
                  new PodStage(
                      false, false, ConditionReason.JobCreated, name + " waits for a node"));
    }
    return new PodStage(
        true, false, ConditionReason.PodStarting, name + " starts" + onNode(pod) + notYet(pod));
  }

  /** A trainer that has ended counts as running until its Job says how it ended. */
  private static boolean running(Pod pod) {
    Optional<ContainerState> state = PodFacts.state(pod);
    return state
        .map(
            each ->
                each.getRunning() != null
                    || (each.getTerminated() != null && PodFacts.startError(pod).isEmpty()))
        .orElseGet(() -> pod.getStatus() != null && "Running".equals(pod.getStatus().getPhase()));
  }

  private static boolean ended(Pod pod) {
    return PodFacts.terminated(pod).isPresent();
  }

  private static boolean scheduled(Pod pod) {
    return pod.getSpec() != null && pod.getSpec().getNodeName() != null;
  }

  private static String onNode(Pod pod) {
    return scheduled(pod) ? " on node " + pod.getSpec().getNodeName() : "";
  }

  private static String notYet(Pod pod) {
    ContainerStateWaiting waiting =
        PodFacts.state(pod).map(ContainerState::getWaiting).orElse(null);
    return waiting == null
        ? PodFacts.startError(pod)
            .map(state -> words(state.getReason(), state.getMessage()))
            .orElse("")
        : words(waiting.getReason(), waiting.getMessage());
  }

  private static String words(String reason, String message) {
    if (reason == null) {
      return "";
    }
    return ": " + reason + (message == null ? "" : ", " + message);
  }
}
