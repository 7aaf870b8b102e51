package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Parallelism;
import dev.finetune.api.v1alpha1.ResourceOptions;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import java.util.List;

/**
 * The processes of an attempt that train together: one for each GPU, as torchrun counts them.
 *
 * @param nodes pods
 * @param perNode processes in each pod; one where the model is laid over its GPUs, or it has none
 * @param gpusPerNode GPUs of each pod
 */
public record Ranks(int nodes, int perNode, int gpusPerNode) {
  /** Set by the Job controller in each pod of an Indexed Job. */
  public static final String INDEX_ANNOTATION = "batch.kubernetes.io/job-completion-index";

  /** Those that a job asks for. */
  public static Ranks of(FineTuneJob job) {
    ResourceOptions resources = job.getSpec() == null ? null : job.getSpec().resources();
    if (resources == null) {
      return new Ranks(1, 1, 0);
    }
    int nodes = resources.nodes() == null ? 1 : resources.nodes();
    int gpus = resources.gpusPerNode() == null ? 0 : resources.gpusPerNode();
    boolean layers = resources.parallelism() == Parallelism.LAYERS;
    return new Ranks(nodes, layers ? 1 : Math.max(1, gpus), gpus);
  }

  /** GPUs of all pods. */
  public int gpus() {
    return nodes * gpusPerNode;
  }

  /** Whether there is more than one pod. */
  boolean severalNodes() {
    return nodes > 1;
  }

  /** The variables by which the ranks meet; none where one trains alone. */
  List<EnvVar> environment(FineTuneJob job, int attempt) {
    if (nodes * perNode == 1) {
      return List.of();
    }
    return List.of(
        variable(TrainerEnvironment.NODES, String.valueOf(nodes)),
        new EnvVarBuilder()
            .withName(TrainerEnvironment.NODE_RANK)
            .withNewValueFrom()
            .withNewFieldRef()
            .withFieldPath("metadata.annotations['" + INDEX_ANNOTATION + "']")
            .endFieldRef()
            .endValueFrom()
            .build(),
        variable(TrainerEnvironment.RANKS_PER_NODE, String.valueOf(perNode)),
        variable(
            TrainerEnvironment.MASTER_ADDRESS,
            severalNodes() ? TrainerService.hostOfFirstPod(job, attempt) : "127.0.0.1"),
        variable(
            TrainerEnvironment.MASTER_PORT, String.valueOf(TrainerEnvironment.MASTER_PORT_NUMBER)));
  }

  private static EnvVar variable(String name, String value) {
    return new EnvVarBuilder().withName(name).withValue(value).build();
  }
}
