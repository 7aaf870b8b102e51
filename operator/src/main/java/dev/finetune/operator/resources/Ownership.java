package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobSpec;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;

/**
 * Who owns a child. Kubernetes' garbage collection removes the children with their FineTuneJob, so
 * no finalizer is needed.
 */
public final class Ownership {
  private Ownership() {}

  /** The reference that a child carries. */
  static OwnerReference reference(FineTuneJob job) {
    return new OwnerReferenceBuilder()
        .withApiVersion(job.getApiVersion())
        .withKind(job.getKind())
        .withName(job.getMetadata().getName())
        .withUid(job.getMetadata().getUid())
        .withController(true)
        .withBlockOwnerDeletion(true)
        .build();
  }

  /** Whether the FineTuneJob is this operator's to run, and not another controller's. */
  public static boolean ours(FineTuneJob job) {
    String controller = job.getSpec() == null ? null : job.getSpec().managedBy();
    return controller == null || controller.equals(FineTuneJobSpec.OPERATOR);
  }

  /**
   * Whether {@code child} belongs to this very FineTuneJob, not to a deleted one of the same name
   * or to somebody else.
   */
  public static boolean owns(FineTuneJob job, HasMetadata child) {
    return child.getMetadata().getOwnerReferences().stream()
        .anyMatch(reference -> job.getMetadata().getUid().equals(reference.getUid()));
  }
}
