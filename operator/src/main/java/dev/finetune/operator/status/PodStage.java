package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.ConditionReason;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.Comparator;
import java.util.Optional;

/**
 * How far an attempt's pods have come, in the words of whoever holds them up. Several train only
 * together, so that of them which has come least far tells.
 *
 * @param scheduled whether every pod has a node
 * @param running whether the trainer's process runs, in every pod
 */
public record PodStage(boolean scheduled, boolean running, ConditionReason reason, String message) {

  /**
   * Reads it from the pods.
   *
   * @param job the Job that creates the pods
   * @param refusal the API server's words where it refuses the Job a pod
   */
  public static PodStage of(Job job, AttemptPods pods, Optional<String> refusal) {
    return QueueState.waits(job)
        ? QueueState.stage(
            job, pods.stream().filter(each -> running(each) && !ended(each)).findFirst())
        : of(job.getMetadata().getName(), pods, refusal);
  }

  /** As {@link #of(Job, AttemptPods, Optional)}, of an attempt whose Job is gone or goes on. */
  public static PodStage of(String job, AttemptPods pods, Optional<String> refusal) {
    if (pods.pods().isEmpty() || (pods.incomplete() && pods.stream().noneMatch(PodStage::ending))) {
      return withoutPod(job, pods, refusal);
    }
    Pod hindmost = pods.stream().min(Comparator.comparing(PodStage::advance)).orElseThrow();
    if (!pods.several()) {
      return of(hindmost, "Pod " + hindmost.getMetadata().getName());
    }
    return advance(hindmost) == Advance.TRAINS
        ? together(pods, hindmost)
        : of(
            hindmost,
            "Pod %d of %d: %s"
                .formatted(
                    AttemptPods.index(hindmost) + 1,
                    pods.expected(),
                    hindmost.getMetadata().getName()));
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

  private static PodStage withoutPod(String job, AttemptPods pods, Optional<String> refusal) {
    String there =
        pods.several()
            ? "%d of its %d pods are there".formatted(pods.pods().size(), pods.expected())
            : "its pod is not there yet";
    return refusal
        .map(
            words ->
                new PodStage(
                    false,
                    false,
                    ConditionReason.ChildRefused,
                    "Job "
                        + job
                        + (pods.several() ? " doesn't get all of its pods: " : " gets no pod: ")
                        + words))
        .orElseGet(
            () ->
                new PodStage(
                    false,
                    false,
                    ConditionReason.JobCreated,
                    "Job " + job + " is created, " + there));
  }

  /** In the order in which a pod goes through them. */
  private enum Advance {
    HAS_NO_NODE,
    WAITS_FOR_NODE,
    STARTS,
    ENDS,
    TRAINS
  }

  private static Advance advance(Pod pod) {
    if (running(pod)) {
      return ending(pod) && !ended(pod) ? Advance.ENDS : Advance.TRAINS;
    } else if (scheduled(pod)) {
      return Advance.STARTS;
    }
    return refusedByScheduler(pod).isPresent() ? Advance.HAS_NO_NODE : Advance.WAITS_FOR_NODE;
  }

  /** Whether a pod is about to end, or has: then one that isn't there is gone, and not to come. */
  private static boolean ending(Pod pod) {
    return ended(pod) || pod.getMetadata().getDeletionTimestamp() != null;
  }

  private static PodStage together(AttemptPods pods, Pod first) {
    return new PodStage(
        true,
        true,
        ConditionReason.TrainerRunning,
        pods.expected()
            + " pods train, the first of them "
            + first.getMetadata().getName()
            + onNode(first));
  }

  private static PodStage of(Pod pod, String name) {
    if (running(pod)) {
      String doing =
          ending(pod) && !ended(pod) ? " is being deleted and saves a checkpoint" : " trains";
      return new PodStage(true, true, ConditionReason.TrainerRunning, name + doing + onNode(pod));
    }
    if (!scheduled(pod)) {
      return refusedByScheduler(pod)
          .map(
              words ->
                  new PodStage(
                      false, false, ConditionReason.Unschedulable, name + " has no node: " + words))
          .orElseGet(
              () ->
                  new PodStage(
                      false, false, ConditionReason.JobCreated, name + " waits for a node"));
    }
    return new PodStage(
        true, false, ConditionReason.PodStarting, name + " starts" + onNode(pod) + notYet(pod));
  }

  private static Optional<String> refusedByScheduler(Pod pod) {
    return PodFacts.condition(pod, "PodScheduled")
        .filter(condition -> "False".equals(condition.getStatus()))
        .map(condition -> String.valueOf(condition.getMessage()));
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
