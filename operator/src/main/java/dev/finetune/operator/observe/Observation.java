package dev.finetune.operator.observe;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.resources.Labels;
import dev.finetune.operator.status.AttemptPods;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BinaryOperator;

/**
 * What the cluster and the trainer say about one FineTuneJob at one moment.
 *
 * @param jobs its Jobs, one per attempt that is still there
 * @param pods the pods of its Jobs
 * @param progress the running trainer's answer; {@link Progress#NONE} where none runs or answers
 * @param reached whether the trainer was asked now and took the question, even if it didn't answer
 * @param podRefusal the API server's words where it refuses the running attempt's Job its pod
 */
public record Observation(
    List<Job> jobs,
    List<Pod> pods,
    Progress progress,
    boolean reached,
    Optional<String> podRefusal) {

  /** How long after its grace period a node that answers has removed a pod. */
  private static final Duration SLACK = Duration.ofSeconds(30);

  /** Creation times are in whole seconds, so of two the one that isn't being deleted is newer. */
  private static final Comparator<Pod> NEWEST =
      Comparator.comparing(
              (Pod pod) -> pod.getMetadata().getCreationTimestamp(),
              Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(pod -> pod.getMetadata().getDeletionTimestamp() == null);

  /** Nothing is there. */
  public static final Observation NOTHING = new Observation(List.of(), List.of());

  /** Jobs and pods alone. */
  public Observation(List<Job> jobs, List<Pod> pods) {
    this(jobs, pods, Progress.NONE, false, Optional.empty());
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
   * The pods of an attempt, the newest of each index: one that its queue preempted and admitted
   * again had others before. One that a Job of a deleted FineTuneJob with the same name left behind
   * has the same labels, but another owner.
   */
  public AttemptPods pods(int attempt) {
    Optional<Job> job = job(attempt);
    var newest = new TreeMap<Integer, Pod>();
    pods.stream()
        .filter(pod -> attemptOf(pod) == attempt)
        .filter(pod -> job.isEmpty() || ownedBy(pod, job.get().getMetadata().getUid()))
        .forEach(pod -> newest.merge(AttemptPods.index(pod), pod, BinaryOperator.maxBy(NEWEST)));
    int known = newest.isEmpty() ? 1 : newest.lastKey() + 1;
    return new AttemptPods(
        List.copyOf(newest.values()), job.map(each -> completions(each)).orElse(known));
  }

  /** The running attempt may have been created before an edit of the spec, so its Job is asked. */
  private static int completions(Job job) {
    Integer completions = job.getSpec() == null ? null : job.getSpec().getCompletions();
    return completions == null ? 1 : completions;
  }

  private static boolean ownedBy(Pod pod, String uid) {
    var owners = pod.getMetadata().getOwnerReferences();
    return owners.isEmpty() || owners.stream().anyMatch(owner -> uid.equals(owner.getUid()));
  }

  /** Whether all pods of an attempt are known and no process of them runs any more. */
  boolean podsEnded(int attempt) {
    AttemptPods known = pods(attempt);
    return !known.incomplete() && known.stream().allMatch(Observation::ended);
  }

  /**
   * A pod that may still write to the destination, if there is one. Two trainers must never write
   * to the same place, so the next attempt waits for it, unless it is lost.
   */
  public Optional<Pod> unfinishedPod(Instant now) {
    return pods.stream().filter(pod -> !ended(pod) && !lost(pod, now)).findFirst();
  }

  /**
   * Whether a pod should be gone and isn't: its node doesn't answer, and whether the trainer still
   * runs there nobody can tell. The next attempt doesn't wait for it all the same: the trainer
   * writes its attempt's token to the destination when it starts, and one that finds another's
   * token there writes nothing more.
   */
  public static boolean lost(Pod pod, Instant now) {
    return !ended(pod) && lostTime(pod).filter(time -> !now.isBefore(time)).isPresent();
  }

  /** From when a pod that is being deleted counts as lost. */
  public static Optional<Instant> lostTime(Pod pod) {
    // A pod's deletionTimestamp is the end of its grace period, not the time of the request.
    return Optional.ofNullable(pod.getMetadata().getDeletionTimestamp())
        .map(end -> Instant.parse(end).plus(SLACK));
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
  public static boolean ended(Pod pod) {
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
