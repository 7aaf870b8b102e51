package dev.finetune.operator.observe;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.resources.Labels;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.List;
import java.util.Optional;

/**
 * What the cluster and the trainer say about one FineTuneJob at one moment.
 *
 * @param jobs its Jobs, one per attempt that is still there
 * @param pods the pods of its Jobs
 * @param progress the running trainer's answer; {@link Progress#NONE} where none runs or answers
 * @param podRefusal the API server's words where it refuses the running attempt's Job its pod
 */
public record Observation(
    List<Job> jobs, List<Pod> pods, Progress progress, Optional<String> podRefusal) {

  /** Nothing is there. */
  public static final Observation NOTHING = new Observation(List.of(), List.of());

  /** Jobs and pods alone. */
  public Observation(List<Job> jobs, List<Pod> pods) {
    this(jobs, pods, Progress.NONE, Optional.empty());
  }

  /** Defensive copies. */
  public Observation {
    jobs = List.copyOf(jobs);
    pods = List.copyOf(pods);
  }

  /** The Job of an attempt. */
  public Optional<Job> job(int attempt) {
    return jobs.stream().filter(job -> attemptOf(job) == attempt).findFirst();
  }

  /**
   * The pod of an attempt. One that a Job of a deleted FineTuneJob with the same name left behind
   * has the same labels, but another owner.
   */
  public Optional<Pod> pod(int attempt) {
    Optional<String> uid = job(attempt).map(job -> job.getMetadata().getUid());
    return pods.stream()
        .filter(pod -> attemptOf(pod) == attempt)
        .filter(pod -> uid.isEmpty() || ownedBy(pod, uid.get()))
        .findFirst();
  }

  private static boolean ownedBy(Pod pod, String uid) {
    var owners = pod.getMetadata().getOwnerReferences();
    return owners.isEmpty() || owners.stream().anyMatch(owner -> uid.equals(owner.getUid()));
  }

  /** Whether the pod of an attempt is known and no process of it runs any more. */
  boolean podEnded(int attempt) {
    return pod(attempt).filter(Observation::ended).isPresent();
  }

  /**
   * A pod that may still write to the destination, if there is one. Two trainers must never write
   * to the same place, so the next attempt waits for it.
   */
  public Optional<Pod> unfinishedPod() {
    return pods.stream().filter(pod -> !ended(pod)).findFirst();
  }

  /** Whether a Job ended well. */
  public static boolean complete(Job job) {
    return holds(job, "Complete");
  }

  /** Whether a Job ended badly. */
  public static boolean failed(Job job) {
    return holds(job, "Failed");
  }

  private static boolean holds(Job job, String type) {
    return job.getStatus() != null
        && job.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    type.equals(condition.getType()) && "True".equals(condition.getStatus()));
  }

  /** Whether no process of the pod runs any more. */
  static boolean ended(Pod pod) {
    String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }

  /** Whether a trainer that could be asked runs in the pod. */
  static boolean answers(Pod pod) {
    return pod.getStatus() != null
        && "Running".equals(pod.getStatus().getPhase())
        && pod.getStatus().getPodIP() != null;
  }

  /** Number of the attempt that an object belongs to; 0 where its label doesn't say. */
  static int attemptOf(HasMetadata object) {
    var labels = object.getMetadata().getLabels();
    String attempt = labels == null ? null : labels.get(Labels.ATTEMPT);
    return attempt != null && attempt.matches("[0-9]{1,9}") ? Integer.parseInt(attempt) : 0;
  }
}
