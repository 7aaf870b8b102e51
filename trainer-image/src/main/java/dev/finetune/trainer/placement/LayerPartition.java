package dev.finetune.trainer.placement;

import dev.finetune.trainer.model.LayerRange;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.IntStream;

/** Cuts a replica's layers into as many ranges as there are devices; no range is empty. */
final class LayerPartition {
  private static final double NOT_ALLOWED = Double.POSITIVE_INFINITY;

  private final ReplicaMemory memory;
  private final int devices;
  private final List<Long> budgets;

  /**
   * @param memory what the replica takes
   * @param devices at most as many as layers
   * @param budgets bytes of each device; empty: unbounded
   */
  LayerPartition(ReplicaMemory memory, int devices, List<Long> budgets) {
    this.memory = memory;
    this.devices = devices;
    this.budgets = budgets;
  }

  /**
   * The ranges with the smallest largest share within the budgets, and among those the most even
   * ones. If none are within the budgets: those that exceed them least.
   */
  List<DeviceLoad> best() {
    Cost share = (load, device) -> excess(load, device) > 0 ? NOT_ALLOWED : load.sum();
    double least = new Search(share, Math::max).least();
    if (least == NOT_ALLOWED) {
      return new Search((load, device) -> excess(load, device), Math::max).loads();
    }
    Cost evenly =
        (load, device) -> {
          double sum = share.of(load, device);
          return sum > least ? NOT_ALLOWED : sum * sum;
        };
    return new Search(evenly, Double::sum).loads();
  }

  private long excess(DeviceLoad load, int device) {
    return budgets.isEmpty() ? 0 : Math.max(0, load.sum() - budgets.get(device));
  }

  /** What a range costs on a device. */
  private interface Cost {
    double of(DeviceLoad load, int device);
  }

  /** The cheapest cut by dynamic programming: of the first d devices with the layers before end. */
  private final class Search {
    private final double[][] costs;
    private final DeviceLoad[][] last;

    Search(Cost cost, DoubleBinaryOperator combined) {
      int layers = memory.layers();
      costs = new double[devices + 1][layers + 1];
      last = new DeviceLoad[devices + 1][layers + 1];
      for (double[] row : costs) {
        Arrays.fill(row, NOT_ALLOWED);
      }
      costs[0][0] = 0;
      for (int device = 0; device < devices; device++) {
        int inFlight = inFlight(device);
        for (int end = device + 1; end <= layers - (devices - device - 1); end++) {
          for (int first = device; first < end; first++) {
            DeviceLoad load = memory.load(new LayerRange(first, end, layers), inFlight);
            double all = combined.applyAsDouble(costs[device][first], cost.of(load, device));
            if (last[device + 1][end] == null || all < costs[device + 1][end]) {
              costs[device + 1][end] = all;
              last[device + 1][end] = load;
            }
          }
        }
      }
    }

    double least() {
      return costs[devices][memory.layers()];
    }

    List<DeviceLoad> loads() {
      Deque<DeviceLoad> loads = new ArrayDeque<>();
      int end = memory.layers();
      for (int device : IntStream.rangeClosed(1, devices).map(i -> devices - i + 1).toArray()) {
        loads.addFirst(last[device][end]);
        end = last[device][end].layers().first();
      }
      return List.copyOf(loads);
    }
  }

  /** One forward, one backward: as many as there are devices from this one to the last. */
  private int inFlight(int device) {
    return Math.min(devices - device, memory.batch().perWindow());
  }
}
