package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.config.OperatorConfig;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;

/**
 * The Job of one attempt. It is Indexed, so that its pods have stable host names and ranks, and has
 * no retries of its own: an attempt is one try, and the operator decides about the next. Where one
 * of several pods fails, Kubernetes ends the others with SIGTERM.
 */
public final class TrainerJob {
  private TrainerJob() {}

  /**
   * The desired Job. It is created once and never updated: nearly all of a Job is immutable, and
   * the rest, {@code suspend} and the template's node selectors, is its queue's.
   */
  public static Job desired(FineTuneJob job, int attempt, OperatorConfig config) {
    var labels = Labels.ofAttemptJob(job, attempt);
    int pods = Ranks.of(job).nodes();
    return new JobBuilder()
        .withNewMetadata()
        .withName(ResourceNames.job(job, attempt))
        .withNamespace(job.getMetadata().getNamespace())
        .withLabels(labels)
        .withOwnerReferences(Ownership.reference(job))
        .endMetadata()
        .withNewSpec()
        .withCompletionMode("Indexed")
        .withCompletions(pods)
        .withParallelism(pods)
        .withBackoffLimit(0)
        // A Job that its queue suspends and soon resumes would otherwise get its next pod while the
        // last one still saves its checkpoint: two trainers of one attempt on one destination.
        .withPodReplacementPolicy("Failed")
        // Kueue's webhook does this too, but a pod must not run where that is down or switched off.
        .withSuspend(labels.containsKey(Labels.QUEUE) ? true : null)
        .withTemplate(template(job, attempt, config))
        .endSpec()
        .build();
  }

  private static PodTemplateSpec template(FineTuneJob job, int attempt, OperatorConfig config) {
    return PodOverlay.given(job).isEmpty()
        ? TrainerPod.template(job, attempt, config)
        : PodOverlay.of(job, attempt, config).template();
  }
}
