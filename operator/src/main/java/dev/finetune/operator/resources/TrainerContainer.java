package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.EnvironmentVariable;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Parallelism;
import dev.finetune.api.v1alpha1.PodOptions;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.ResourceOptions;
import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.operator.config.OperatorConfig;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContextBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The trainer's container.
 *
 * <p>It has no probes. No Service routes to it, so readiness has no reader; a dead process ends the
 * container by itself; and a liveness probe would kill a trainer that is busy in a long native
 * call, which costs the steps since the last checkpoint.
 */
public final class TrainerContainer {
  /** The container's name. */
  public static final String NAME = "trainer";

  /** Name of the port that serves the progress. */
  public static final String PROGRESS_PORT = "progress";

  /** Threads of a native operation, as every OpenMP program reads it. */
  private static final String THREADS = "OMP_NUM_THREADS";

  private TrainerContainer() {}

  static Container of(
      FineTuneJob job, int attempt, ClaimVolumes claims, OperatorConfig.Trainer trainer) {
    var pod = Optional.ofNullable(job.getSpec().pod());
    return new ContainerBuilder()
        .withName(NAME)
        .withImage(
            pod.map(PodOptions::image).map(TrainerPod::emptyToNull).orElseGet(trainer::image))
        .withImagePullPolicy(trainer.imagePullPolicy())
        // No command: which program that is and with which settings, its image says.
        .withArgs(arguments(job.getSpec().resources()))
        .withEnv(environment(job, attempt, pod.map(PodOptions::env).orElse(List.of())))
        .addNewPort()
        .withName(PROGRESS_PORT)
        .withContainerPort(Progress.PORT)
        .withProtocol("TCP")
        .endPort()
        .withResources(resources(job.getSpec().resources()))
        .withVolumeMounts(mounts(claims))
        .withTerminationMessagePath(TrainerEnvironment.TERMINATION_LOG)
        // A trainer that died without a last word still leaves the end of its log in the status.
        .withTerminationMessagePolicy("FallbackToLogsOnError")
        .withSecurityContext(securityContext())
        .build();
  }

  /**
   * How the model is laid over the GPUs is no part of the recipe: it may change between attempts.
   */
  private static List<String> arguments(ResourceOptions resources) {
    var arguments = new ArrayList<>(List.of("sft", "--recipe", TrainerEnvironment.RECIPE_FILE));
    if (resources == null || resources.parallelism() != Parallelism.LAYERS) {
      return arguments;
    }
    arguments.addAll(List.of("--parallelism", "Layers"));
    if (resources.deviceMaxMemory() != null) {
      arguments.add("--device_max_memory");
      resources.deviceMaxMemory().forEach(amount -> arguments.add(inBytes(amount)));
    }
    return arguments;
  }

  /** 15G and 14Gi, as Kubernetes writes them, are the trainer's 15GB and 14GiB. */
  private static String inBytes(String amount) {
    return amount.endsWith("B") ? amount : amount + "B";
  }

  private static List<EnvVar> environment(
      FineTuneJob job, int attempt, List<EnvironmentVariable> further) {
    var environment = new ArrayList<EnvVar>();
    environment.add(variable(TrainerEnvironment.VOLUMES, TrainerEnvironment.VOLUMES_FOLDER));
    environment.add(variable(TrainerEnvironment.LISTEN, "0.0.0.0:" + Progress.PORT));
    environment.add(
        variable(TrainerEnvironment.TERMINATION_MESSAGE_FILE, TrainerEnvironment.TERMINATION_LOG));
    environment.add(variable(TrainerEnvironment.JOB_UID, job.getMetadata().getUid()));
    environment.add(variable(TrainerEnvironment.ATTEMPT, String.valueOf(attempt)));
    // What the user gives of these is stronger.
    Set<String> given = further.stream().map(EnvironmentVariable::name).collect(Collectors.toSet());
    Stream.concat(Ranks.of(job).environment(job, attempt).stream(), threads(job).stream())
        .filter(each -> !given.contains(each.getName()))
        .forEach(environment::add);
    for (EnvironmentVariable each : further) {
      environment.add(variable(each));
    }
    return environment;
  }

  /**
   * Each rank's share of the cores that are requested: without a limit a JVM sees all of the
   * node's.
   */
  private static Optional<EnvVar> threads(FineTuneJob job) {
    var ranks = BigDecimal.valueOf(Ranks.of(job).perNode());
    return Optional.ofNullable(job.getSpec().resources())
        .map(ResourceOptions::cpu)
        .map(cpu -> cpu.getNumericalAmount().divide(ranks, 0, RoundingMode.CEILING))
        .map(threads -> variable(THREADS, threads.toPlainString()));
  }

  private static EnvVar variable(String name, String value) {
    return new EnvVarBuilder().withName(name).withValue(value).build();
  }

  private static EnvVar variable(EnvironmentVariable variable) {
    if (variable.secretKeyRef() == null) {
      return variable(variable.name(), variable.value());
    }
    return new EnvVarBuilder()
        .withName(variable.name())
        .withNewValueFrom()
        .withNewSecretKeyRef(
            variable.secretKeyRef().key(), variable.secretKeyRef().name(), /* optional= */ null)
        .endValueFrom()
        .build();
  }

  private static ResourceRequirements resources(ResourceOptions resources) {
    var requirements = new ResourceRequirementsBuilder();
    if (resources == null) {
      return requirements.build();
    }
    if (resources.cpu() != null) {
      // No limit: throttling slows a step down and protects nobody that the request doesn't.
      requirements.addToRequests("cpu", resources.cpu());
    }
    if (resources.memory() != null) {
      requirements.addToRequests("memory", resources.memory());
      requirements.addToLimits("memory", resources.memory());
    }
    if (resources.gpusPerNode() != null && resources.gpusPerNode() > 0) {
      var gpus = new Quantity(String.valueOf(resources.gpusPerNode()));
      // Kubernetes demands that an extended resource's limit is set and equals its request.
      requirements.addToRequests(resources.gpuResource(), gpus);
      requirements.addToLimits(resources.gpuResource(), gpus);
    }
    return requirements.build();
  }

  private static List<VolumeMount> mounts(ClaimVolumes claims) {
    var mounts = new ArrayList<VolumeMount>();
    mounts.add(
        new VolumeMountBuilder()
            .withName(TrainerPod.RECIPE_VOLUME)
            .withMountPath(Path.of(TrainerEnvironment.RECIPE_FILE).getParent().toString())
            .withReadOnly(true)
            .build());
    mounts.addAll(claims.mounts());
    mounts.add(mount(TrainerPod.TMP_VOLUME, "/tmp"));
    mounts.add(mount(TrainerPod.SHARED_MEMORY_VOLUME, "/dev/shm"));
    return mounts;
  }

  private static VolumeMount mount(String volume, String path) {
    return new VolumeMountBuilder().withName(volume).withMountPath(path).build();
  }

  private static SecurityContext securityContext() {
    return new SecurityContextBuilder()
        .withAllowPrivilegeEscalation(false)
        .withReadOnlyRootFilesystem(true)
        .withNewCapabilities()
        .withDrop("ALL")
        .endCapabilities()
        .build();
  }
}
