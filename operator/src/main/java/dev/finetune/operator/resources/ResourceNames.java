package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;

/** The names of a FineTuneJob's children. */
public final class ResourceNames {
  private ResourceNames() {}

  /** The ConfigMap that holds the recipe. */
  public static String configMap(FineTuneJob job) {
    return job.getMetadata().getName();
  }

  /** The Job of one attempt, numbered from 1. */
  public static String job(FineTuneJob job, int attempt) {
    return job.getMetadata().getName() + "-" + attempt;
  }
}
