package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.operator.resources.Labels;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.Optional;

/**
 * Whether an attempt's Job waits for a queue. The operator never suspends a Job itself, so one that
 * is suspended waits for somebody to let it run, whatever {@code spec.queueName} says: Kueue puts
 * Jobs into its default queue by itself.
 */
public final class QueueState {
  private QueueState() {}

  /** Whether the Job may have no pod now. */
  public static boolean waits(Job job) {
    return job.getSpec() != null && Boolean.TRUE.equals(job.getSpec().getSuspend());
  }

  /** Whether the Job was ever held back, so that its attempt began with its admission. */
  public static boolean waited(Job job) {
    boolean suspended =
        job.getStatus() != null
            && job.getStatus().getConditions().stream()
                .anyMatch(condition -> condition.getType().equals("Suspended"));
    return suspended || name(job).isPresent();
  }

  /** The queue that the Job is in; it carries its name whoever chose it. */
  public static Optional<String> name(Job job) {
    var labels = job.getMetadata().getLabels();
    return Optional.ofNullable(labels == null ? null : labels.get(Labels.QUEUE));
  }

  /**
   * The stage of an attempt whose Job is suspended.
   *
   * @param unfinished a pod of it whose trainer may still save its checkpoint
   */
  static PodStage stage(Job job, Optional<Pod> unfinished) {
    String name = job.getMetadata().getName();
    String queue =
        name(job).map(each -> "queue " + each).orElse("the controller that suspended it");
    return unfinished
        .map(
            pod ->
                new PodStage(
                    true,
                    true,
                    ConditionReason.Preempted,
                    "Job "
                        + name
                        + " was preempted by "
                        + queue
                        + ": pod "
                        + pod.getMetadata().getName()
                        + " saves a checkpoint and ends"))
        .orElseGet(
            () ->
                new PodStage(
                    false,
                    false,
                    ConditionReason.Queued,
                    "Job "
                        + name
                        + " waits for "
                        + queue
                        + " to admit it; kubectl describe workload says what is missing"));
  }
}
