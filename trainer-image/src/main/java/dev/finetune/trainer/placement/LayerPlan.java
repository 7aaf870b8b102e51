package dev.finetune.trainer.placement;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.LayerRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Which device holds which decoder layers of a replica: consecutive ones, the first device with the
 * embedding and the last with the head. Every device gets a layer; within the budgets, the largest
 * share of a device is as small as it can be.
 *
 * @param devices cpu or cuda:N, in the order of the layers
 * @param loads what each holds
 * @param budgets bytes that each may hold at most; empty where nothing bounds them
 */
public record LayerPlan(List<String> devices, List<DeviceLoad> loads, List<Long> budgets) {
  /** Copies the lists. */
  public LayerPlan {
    devices = List.copyOf(devices);
    loads = List.copyOf(loads);
    budgets = List.copyOf(budgets);
  }

  /**
   * Lays a replica over all of the devices.
   *
   * @param memory what the replica takes
   * @param devices cpu or cuda:N
   * @param budgets bytes of each device; empty: whatever there is, the same of each
   * @throws TrainerException with {@link TrainerExit#USAGE} if there are more devices than layers,
   *     or not as many budgets as devices; with {@link TrainerExit#OUT_OF_MEMORY} if the replica
   *     doesn't fit, saying what is missing where and what would help
   */
  public static LayerPlan of(ReplicaMemory memory, List<String> devices, List<Long> budgets) {
    if (!budgets.isEmpty() && budgets.size() != devices.size()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "deviceMaxMemory has %d sizes, and there are %d devices (%s): give one for each"
              .formatted(budgets.size(), devices.size(), String.join(", ", devices)));
    }
    if (devices.size() > memory.layers()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "the model has %d layers, so %d of the %d devices (%s) would stay empty: give at most %d, or train a replica on each with parallelism Data"
              .formatted(
                  memory.layers(),
                  devices.size() - memory.layers(),
                  devices.size(),
                  String.join(", ", devices),
                  memory.layers()));
    }
    LayerPlan plan = best(memory, devices, budgets);
    if (!plan.fits()) {
      throw new TrainerException(
          TrainerExit.OUT_OF_MEMORY, new MemoryShortage(memory, plan).message());
    }
    return plan;
  }

  /** The plan, whether it fits or not. */
  static LayerPlan best(ReplicaMemory memory, List<String> devices, List<Long> budgets) {
    return new LayerPlan(
        devices, new LayerPartition(memory, devices.size(), budgets).best(), budgets);
  }

  /**
   * How many of the devices a replica needs: the fewest that divide them evenly into replicas, so
   * that none stays empty. All of them, if no fewer are enough.
   *
   * @param memory what a replica takes
   * @param budgets bytes of each device
   */
  public static int devicesPerReplica(ReplicaMemory memory, List<Long> budgets) {
    int all = budgets.size();
    return IntStream.range(1, Math.min(all, memory.layers() + 1))
        .filter(size -> all % size == 0 && fitsInEach(memory, budgets, size))
        .findFirst()
        .orElse(all);
  }

  private static boolean fitsInEach(ReplicaMemory memory, List<Long> budgets, int size) {
    return IntStream.range(0, budgets.size() / size)
        .mapToObj(group -> budgets.subList(group * size, (group + 1) * size))
        .distinct()
        .allMatch(group -> best(memory, names(size), group).fits());
  }

  private static List<String> names(int devices) {
    return IntStream.range(0, devices).mapToObj(i -> "device " + i).toList();
  }

  /** What would train faster, if fewer of the devices are enough for a replica. */
  public Optional<String> advice(ReplicaMemory memory) {
    int needed = budgets.isEmpty() ? devices.size() : devicesPerReplica(memory, budgets);
    int replicas = devices.size() / needed;
    return replicas == 1
        ? Optional.empty()
        : Optional.of(
            "%d of these %d devices are enough for a replica: --nproc_per_node %d trains %d replicas on different rows"
                .formatted(needed, devices.size(), replicas, replicas));
  }

  /** The layers of each device. */
  public List<LayerRange> ranges() {
    return loads.stream().map(DeviceLoad::layers).toList();
  }

  /** Bytes that a device lacks; 0 where it has enough. */
  long missing(int device) {
    return budgets.isEmpty() ? 0 : Math.max(0, loads.get(device).sum() - budgets.get(device));
  }

  boolean fits() {
    return IntStream.range(0, devices.size()).allMatch(device -> missing(device) == 0);
  }

  /** A line for each device under a line of headings; sizes in GiB. */
  public List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add(
        row("device", "layers", "weights", "adapter+optimizer", "activations", "sum", "budget"));
    for (int i = 0; i < devices.size(); i++) {
      DeviceLoad load = loads.get(i);
      lines.add(
          row(
              devices.get(i),
              load.layers().toString(),
              ByteSize.gib(load.weights()),
              ByteSize.gib(load.adapter()),
              ByteSize.gib(load.activations()),
              ByteSize.gib(load.sum()),
              budgets.isEmpty() ? "-" : ByteSize.gib(budgets.get(i))));
    }
    return lines;
  }

  private static String row(Object... cells) {
    return String.format(Locale.ROOT, "%-8s %8s %12s %19s %13s %12s %12s", cells).stripTrailing();
  }
}
