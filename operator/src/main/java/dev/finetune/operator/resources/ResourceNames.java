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

  /**
   * The Service by which pods find each other. A Service's name begins with a letter, which a
   * FineTuneJob's need not; and a Service of the job's own name is likely to be that of the model.
   */
  public static String service(FineTuneJob job) {
    return "trainer-" + job.getMetadata().getName();
  }
}
