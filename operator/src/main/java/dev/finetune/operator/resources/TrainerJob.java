package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.config.OperatorConfig;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;

/**
 * The Job of one attempt. It is Indexed, so that its pod has a stable host name and rank, and has
 * no retries of its own: an attempt is one try, and the operator decides about the next.
 */
public final class TrainerJob {
  private TrainerJob() {}

  /** The desired Job. It is created once and never updated: nearly all of a Job is immutable. */
  public static Job desired(FineTuneJob job, int attempt, OperatorConfig config) {
    return new JobBuilder()
        .withNewMetadata()
        .withName(ResourceNames.job(job, attempt))
        .withNamespace(job.getMetadata().getNamespace())
        .withLabels(Labels.ofAttempt(job, attempt))
        .withOwnerReferences(Ownership.reference(job))
        .endMetadata()
        .withNewSpec()
        .withCompletionMode("Indexed")
        .withCompletions(1)
        .withParallelism(1)
        .withBackoffLimit(0)
        .withTemplate(TrainerPod.template(job, attempt, config))
        .endSpec()
        .build();
  }
}
