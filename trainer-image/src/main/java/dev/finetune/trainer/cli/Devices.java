package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.TorchRuntime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;

/**
 * Where models are computed, found by what the container was given and what libtorch sees.
 *
 * @param environment the process's environment
 * @param cudaDevices counts the GPUs that libtorch can use
 */
record Devices(Map<String, String> environment, IntSupplier cudaDevices) {
  /** Names the container's GPUs; set by NVIDIA's device plugin, or by docker run --gpus. */
  static final String GIVEN = "NVIDIA_VISIBLE_DEVICES";

  /** The flavour of libtorch that the image holds: cpu, or such as cu128. DJL reads it too. */
  static final String FLAVOUR = "PYTORCH_FLAVOR";

  /** Values of {@link #GIVEN} that mean no GPU, besides the empty one. */
  private static final Set<String> NO_GPU = Set.of("", "void", "none");

  /** Those of this process. */
  static Devices ofThisProcess() {
    return new Devices(System.getenv(), TorchRuntime::cudaDevices);
  }

  /**
   * Every GPU that the process can use, or the CPU where there is none.
   *
   * @throws TrainerException DEVICE if the image is built for GPUs, the container was given some
   *     and none can be used
   */
  List<String> visible() {
    int gpus = cudaDevices.getAsInt();
    if (gpus > 0) {
      return IntStream.range(0, gpus).mapToObj(i -> "cuda:" + i).toList();
    }
    if (given().isPresent() && isForGpus()) {
      throw new TrainerException(
          TrainerExit.DEVICE,
          ("the container was given GPUs (%s=%s), and libtorch (%s) can use none: check that the node's NVIDIA driver"
                  + " is new enough for that CUDA version, that nvidia-smi works on the node, and that the pod runs with"
                  + " the NVIDIA container runtime (pod.runtimeClassName); --device cpu trains on the CPU all the same")
              .formatted(GIVEN, given().get(), environment.get(FLAVOUR)));
    }
    return List.of("cpu");
  }

  /**
   * The device of one of several ranks on this machine, one each.
   *
   * @param chosen what the user asked for; empty: the visible ones
   * @param localRank the rank among those of this machine
   * @throws TrainerException USAGE if there are more ranks than GPUs
   */
  String ofRank(List<String> chosen, int localRank) {
    List<String> devices = chosen.isEmpty() ? visible() : chosen;
    if (localRank < devices.size()) {
      return devices.get(localRank);
    }
    if (devices.stream().allMatch("cpu"::equals)) {
      return "cpu";
    }
    throw new TrainerException(
        TrainerExit.USAGE,
        "rank %d of this machine has no device: there are %d (%s); start as many ranks as devices"
            .formatted(localRank, devices.size(), String.join(", ", devices)));
  }

  /**
   * The devices of one of several ranks that lay the model over theirs: an equal share.
   *
   * @param chosen what the user asked for; empty: the visible ones
   * @param localRank the rank among those of this machine
   * @param ranks how many this machine has
   * @throws TrainerException USAGE if the ranks can't have the same number of devices
   */
  List<String> shareOfRank(List<String> chosen, int localRank, int ranks) {
    List<String> devices = chosen.isEmpty() ? visible() : chosen;
    int share = devices.size() / ranks;
    if (share * ranks != devices.size()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%d devices (%s) can't be shared evenly by %d ranks: --nproc_per_node must divide their number"
              .formatted(devices.size(), String.join(", ", devices), ranks));
    }
    return devices.subList(localRank * share, (localRank + 1) * share);
  }

  /** What a user must know about these devices; empty where there is nothing to say. */
  Optional<String> warning(List<String> devices) {
    return given()
        .filter(gpus -> devices.stream().allMatch(device -> device.startsWith("cpu")))
        .map(
            gpus ->
                "training on the CPU, although the container was given GPUs (%s=%s): use the trainer's CUDA image for"
                        .formatted(GIVEN, gpus)
                    + " GPUs, or set resources.gpusPerNode to 0");
  }

  private Optional<String> given() {
    return Optional.ofNullable(environment.get(GIVEN)).filter(value -> !NO_GPU.contains(value));
  }

  private boolean isForGpus() {
    return environment.getOrDefault(FLAVOUR, "").startsWith("cu");
  }
}
