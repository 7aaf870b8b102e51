package dev.finetune.local.controller;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.JobConditionBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a Job's pods add up to.
 *
 * @param completions indexes that must succeed
 * @param backoffLimit failed pods that are forgiven
 * @param pods the pods that are there
 * @param vanished indexes whose pod was created and is gone, which counts as failed
 */
record JobTally(int completions, int backoffLimit, List<Pod> pods, Set<Integer> vanished) {
  /** Kubernetes' default. */
  private static final int BACKOFF_LIMIT = 6;

  static JobTally of(Job job, List<Pod> pods, Set<Integer> created) {
    Integer completions = job.getSpec().getCompletions();
    Integer backoffLimit = job.getSpec().getBackoffLimit();
    Set<Integer> vanished = new TreeSet<>(created);
    vanished.removeAll(pods.stream().map(IndexedPod::index).collect(Collectors.toSet()));
    return new JobTally(
        completions == null ? 1 : completions,
        backoffLimit == null ? BACKOFF_LIMIT : backoffLimit,
        List.copyOf(pods),
        Set.copyOf(vanished));
  }

  boolean failed() {
    return failures() > backoffLimit;
  }

  boolean complete() {
    return succeededIndexes().size() == completions;
  }

  /** Indexes that need a pod: none of theirs runs or has succeeded. */
  Set<Integer> missing() {
    Set<Integer> missing = new TreeSet<>();
    for (int index = 0; index < completions; index++) {
      missing.add(index);
    }
    missing.removeAll(succeededIndexes());
    active().stream().map(IndexedPod::index).forEach(missing::remove);
    return missing;
  }

  List<Pod> active() {
    return pods.stream().filter(pod -> !ended(pod) && !terminating(pod)).toList();
  }

  /** The status that follows from the one before. */
  JobStatus status(JobStatus previous, Instant now) {
    JobStatus before = previous == null ? new JobStatus() : previous;
    var status =
        new JobStatusBuilder(before)
            .withStartTime(Optional.ofNullable(before.getStartTime()).orElse(now.toString()))
            .withActive(complete() || failed() ? 0 : active().size())
            .withReady((int) active().stream().filter(JobTally::ready).count())
            .withTerminating((int) pods.stream().filter(JobTally::stopping).count())
            .withSucceeded(succeededIndexes().size())
            .withFailed(failures())
            .withCompletedIndexes(
                succeededIndexes().isEmpty() ? null : IndexRanges.format(succeededIndexes()));
    if (complete()) {
      String reached = "Reached expected number of succeeded pods";
      status
          .withCompletionTime(now.toString())
          .addToConditions(
              condition("SuccessCriteriaMet", "CompletionsReached", reached, now),
              condition("Complete", "CompletionsReached", reached, now));
    } else if (failed()) {
      String limit = "Job has reached the specified backoff limit";
      status.addToConditions(
          condition("FailureTarget", "BackoffLimitExceeded", limit, now),
          condition("Failed", "BackoffLimitExceeded", limit, now));
    }
    return status.build();
  }

  private int failures() {
    long failed =
        pods.stream()
            .filter(pod -> phase(pod, "Failed") || (terminating(pod) && !phase(pod, "Succeeded")))
            .count();
    return (int) failed + vanished.size();
  }

  private Set<Integer> succeededIndexes() {
    return pods.stream()
        .filter(pod -> phase(pod, "Succeeded"))
        .map(IndexedPod::index)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static JobCondition condition(String type, String reason, String message, Instant now) {
    return new JobConditionBuilder()
        .withType(type)
        .withStatus("True")
        .withReason(reason)
        .withMessage(message)
        .withLastProbeTime(now.toString())
        .withLastTransitionTime(now.toString())
        .build();
  }

  private static boolean ready(Pod pod) {
    return pod.getStatus() != null
        && pod.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    "Ready".equals(condition.getType()) && "True".equals(condition.getStatus()));
  }

  private static boolean stopping(Pod pod) {
    return terminating(pod) && !ended(pod);
  }

  private static boolean terminating(Pod pod) {
    return pod.getMetadata().getDeletionTimestamp() != null;
  }

  private static boolean ended(Pod pod) {
    return phase(pod, "Succeeded") || phase(pod, "Failed");
  }

  private static boolean phase(Pod pod, String phase) {
    return pod.getStatus() != null && phase.equals(pod.getStatus().getPhase());
  }
}
