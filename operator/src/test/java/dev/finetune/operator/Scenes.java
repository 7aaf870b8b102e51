package dev.finetune.operator;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.resources.TrainerJob;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** Moments in the life of a FineTuneJob, to decide and calculate from. */
public final class Scenes {
  /** When the scenes play: ten minutes after the job's creation. */
  public static final Instant NOW = Instant.parse("2026-01-01T00:10:00Z");

  private Scenes() {}

  /** A job that was just applied. */
  public static FineTuneJob applied() {
    return Jobs.named("tune");
  }

  /** A job whose first attempt has been running for five minutes. */
  public static FineTuneJob running() {
    return with(applied(), attempt(1, AttemptOutcome.Running, null, null));
  }

  /** {@code job} with a status that holds {@code attempts}. */
  public static FineTuneJob with(FineTuneJob job, Attempt... attempts) {
    int failed =
        (int)
            List.of(attempts).stream()
                .filter(attempt -> attempt.outcome() == AttemptOutcome.Failed)
                .count();
    job.setStatus(
        new FineTuneJobStatus(
            1L,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            List.of(attempts),
            failed,
            null,
            null));
    return job;
  }

  /** An attempt of the job {@code tune}. */
  public static Attempt attempt(
      int number, AttemptOutcome outcome, ConditionReason reason, Instant end) {
    return new Attempt(
        number,
        "tune-" + number,
        "2026-01-01T00:05:00Z",
        end == null ? null : end.toString(),
        outcome,
        reason,
        null,
        null,
        null,
        "words",
        null,
        null,
        null,
        null,
        null);
  }

  /** The Job of an attempt; {@code condition} is Complete, Failed, or null while it runs. */
  public static Job job(int attempt, String condition) {
    Job job = TrainerJob.desired(applied(), attempt, TestConfig.defaults());
    job.getMetadata().setUid("job-" + attempt);
    return condition == null
        ? job
        : job.edit()
            .withNewStatus()
            .addNewCondition()
            .withType(condition)
            .withStatus("True")
            .endCondition()
            .endStatus()
            .build();
  }

  /** The Job of an attempt that waits for its queue. */
  public static Job queuedJob(int attempt) {
    Job job = job(attempt, null);
    job.getMetadata().getLabels().put("kueue.x-k8s.io/queue-name", "gpus");
    job.getSpec().setSuspend(true);
    return job;
  }

  /** The pod of an attempt on node-1, created by its Job, with its status still to be filled. */
  public static Pod pod(int attempt, UnaryOperator<PodBuilder> status) {
    var template = job(attempt, null).getSpec().getTemplate();
    var pod =
        new PodBuilder()
            .withMetadata(template.getMetadata())
            .withSpec(template.getSpec())
            .editMetadata()
            .withName("tune-" + attempt + "-0-abcde")
            .withNamespace("default")
            .addNewOwnerReference()
            .withUid("job-" + attempt)
            .endOwnerReference()
            .endMetadata()
            .editSpec()
            .withNodeName("node-1")
            .endSpec()
            .withNewStatus()
            .addNewCondition()
            .withType("PodScheduled")
            .withStatus("True")
            .withLastTransitionTime("2026-01-01T00:06:00Z")
            .endCondition()
            .endStatus();
    return status.apply(pod).build();
  }

  /** A pod whose trainer runs. */
  public static Pod runningPod(int attempt) {
    return pod(
        attempt,
        pod ->
            pod.editStatus()
                .withPhase("Running")
                .withPodIP("10.0.0.1")
                .addNewContainerStatus()
                .withName("trainer")
                .withNewState()
                .withNewRunning()
                .endRunning()
                .endState()
                .endContainerStatus()
                .endStatus());
  }

  /** The Job of an attempt that has so many pods. */
  public static Job jobOf(int pods, int attempt, String condition) {
    return job(attempt, condition)
        .edit()
        .editSpec()
        .withCompletions(pods)
        .withParallelism(pods)
        .endSpec()
        .build();
  }

  /** {@code pod} as one of several: that of a completion index, on a node of its own. */
  public static Pod at(int index, Pod pod) {
    return pod.edit()
        .editMetadata()
        .withName(pod.getMetadata().getName().replace("-0-", "-" + index + "-"))
        .addToAnnotations("batch.kubernetes.io/job-completion-index", String.valueOf(index))
        .endMetadata()
        .editSpec()
        .withNodeName(pod.getSpec().getNodeName() == null ? null : "node-" + (index + 1))
        .endSpec()
        .build();
  }

  /** {@code pod} whose trainer ended at another time. */
  public static Pod endedAt(String time, Pod pod) {
    pod.getStatus().getContainerStatuses().get(0).getState().getTerminated().setFinishedAt(time);
    return pod;
  }

  /** A pod that is to be gone by {@code end}, its grace period over. */
  public static Pod deleted(Pod pod, Instant end) {
    pod.getMetadata().setDeletionTimestamp(end.toString());
    return pod;
  }

  /** A pod whose trainer ended at 00:09 with {@code reason} as the runtime gives it. */
  public static Pod endedPod(int attempt, int exitCode, String reason, String message) {
    return pod(
        attempt,
        pod ->
            pod.editStatus()
                .withPhase(exitCode == 0 ? "Succeeded" : "Failed")
                .addNewContainerStatus()
                .withName("trainer")
                .withNewState()
                .withNewTerminated()
                .withExitCode(exitCode)
                .withReason(reason)
                .withMessage(message)
                .withFinishedAt("2026-01-01T00:09:00Z")
                .endTerminated()
                .endState()
                .endContainerStatus()
                .endStatus());
  }

  /** What the cluster shows, without progress. */
  public static Observation observed(List<Job> jobs, Pod... pods) {
    return new Observation(jobs, List.of(pods));
  }

  /** A progress at {@code step} of 100, 10 steps an epoch, saved last at {@code checkpoint}. */
  public static Progress progress(int step, int checkpoint, Integer resumedFrom) {
    return new Progress(
        new TrainingProgress(
            step / 10.0, 10, step / 10.0 + "/10", step, 100, 1.5, 1.6, 1e-4, 0.7, 900.0, step, 60L),
        IntStream.rangeClosed(1, step / 10)
            .mapToObj(epoch -> new EpochResult(epoch, epoch * 10, 2.0 / epoch, 2.1 / epoch, null))
            .toList(),
        new Checkpoints(
            checkpoint(checkpoint),
            checkpoint(checkpoint),
            resumedFrom == null ? null : checkpoint(resumedFrom)),
        null,
        null,
        null);
  }

  /** A termination message as the trainer writes it. */
  public static String lastWords(TrainerExit exit, String message, Progress progress) {
    return Serialization.asJson(new TerminationMessage(exit, message, null, progress));
  }

  private static Checkpoint checkpoint(int step) {
    return new Checkpoint(step, step / 10.0, "pvc://results/checkpoint-" + step, 1L, "ab", 1.6);
  }

  /** A pod that the scheduler has found no node for, in its words. */
  public static Pod unschedulablePod(int attempt, String message) {
    return pod(
        attempt,
        each ->
            each.editSpec()
                .withNodeName(null)
                .endSpec()
                .editStatus()
                .withPhase("Pending")
                .withConditions()
                .addNewCondition()
                .withType("PodScheduled")
                .withStatus("False")
                .withReason("Unschedulable")
                .withMessage(message)
                .endCondition()
                .endStatus());
  }
}
