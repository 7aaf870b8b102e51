package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import java.util.Map;
import java.util.Optional;

/**
 * The headless Service that gives the pods of a job their host names, {@code
 * NAME-ATTEMPT-INDEX.SERVICE}. One serves all attempts, as the names of no two have the same
 * number.
 */
public final class TrainerService {
  private static final String PORT_NAME = "rendezvous";

  private TrainerService() {}

  /** The desired Service; none where one pod trains alone. It is created once. */
  public static Optional<Service> desired(FineTuneJob job) {
    return Ranks.of(job).severalNodes() ? Optional.of(service(job)) : Optional.empty();
  }

  /** Where rank 0 of an attempt is met. */
  static String hostOfFirstPod(FineTuneJob job, int attempt) {
    return ResourceNames.job(job, attempt) + "-0." + ResourceNames.service(job);
  }

  private static Service service(FineTuneJob job) {
    return new ServiceBuilder()
        .withNewMetadata()
        .withName(ResourceNames.service(job))
        .withNamespace(job.getMetadata().getNamespace())
        .withLabels(Labels.ofJob(job))
        .withOwnerReferences(Ownership.reference(job))
        .endMetadata()
        .withNewSpec()
        // No address of its own: names of pods are all that is wanted of it.
        .withClusterIP("None")
        // A rank may look for rank 0 before the kubelet calls its pod ready.
        .withPublishNotReadyAddresses(true)
        .withSelector(Map.of(Labels.JOB, job.getMetadata().getName()))
        .addNewPort()
        .withName(PORT_NAME)
        .withProtocol("TCP")
        .withPort(TrainerEnvironment.MASTER_PORT_NUMBER)
        .endPort()
        .endSpec()
        .build();
  }
}
