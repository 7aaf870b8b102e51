package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Parallelism;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.placement.ByteSize;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** The flags that lay one replica of the model over several devices. */
final class LayersOptions {
  @Option(
      names = "--parallelism",
      paramLabel = "HOW",
      description =
          "Data: a copy of the model on each device. Layers: one copy laid over the devices of a"
              + " process, for a model that one device can't hold; --nproc_per_node 2 makes two of"
              + " them, each on half of the devices. Default: Data, or Layers with"
              + " --device_max_memory.")
  private Parallelism parallelism;

  @Option(
      names = "--device_max_memory",
      paramLabel = "SIZE",
      arity = "1..*",
      description =
          "Most memory to use of each device, such as 15GB 15GB (or 14GiB): weights, adapter,"
              + " optimizer and activations. How they are laid out is printed before the model is"
              + " loaded.")
  private List<String> deviceMaxMemory = List.of();

  /** Whether the model's layers are laid over the devices of a process. */
  boolean chosen() {
    if (parallelism == Parallelism.DATA && !deviceMaxMemory.isEmpty()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "--device_max_memory lays the model's layers over the devices; with --parallelism Data each device holds all of it: leave one of them out");
    }
    return parallelism == Parallelism.LAYERS || !deviceMaxMemory.isEmpty();
  }

  /**
   * The devices that the sizes are of, where none is named: on a machine without a GPU each size is
   * a part of the CPU's memory, so that a command for several GPUs runs there as it stands.
   *
   * @param chosen what the user named; may be empty
   * @param visible the devices of this machine
   */
  List<String> devices(List<String> chosen, Supplier<List<String>> visible) {
    if (!chosen.isEmpty() || deviceMaxMemory.isEmpty()) {
      return chosen;
    }
    List<String> there = visible.get();
    return there.equals(List.of("cpu"))
        ? Collections.nCopies(deviceMaxMemory.size(), "cpu")
        : there;
  }

  /** What the flags mean here, where ms-swift means something else by them. */
  Optional<String> note() {
    return deviceMaxMemory.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "--device_max_memory %s: limits all that a device holds, not the weights alone"
                .formatted(String.join(" ", deviceMaxMemory)));
  }

  /**
   * What each device of a rank may hold.
   *
   * @param localRank the rank among those of this machine
   * @param devices how many a rank has
   * @param all how many this machine has
   * @return bytes of each; empty where nothing was said
   */
  List<Long> budgets(int localRank, int devices, int all) {
    if (deviceMaxMemory.isEmpty()) {
      return List.of();
    }
    if (deviceMaxMemory.size() != all) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "--device_max_memory has %d sizes for %d devices: give one for each"
              .formatted(deviceMaxMemory.size(), all));
    }
    return deviceMaxMemory.subList(localRank * devices, (localRank + 1) * devices).stream()
        .map(ByteSize::parse)
        .toList();
  }
}
