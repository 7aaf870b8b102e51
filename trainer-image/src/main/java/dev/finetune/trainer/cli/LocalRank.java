package dev.finetune.trainer.cli;

import dev.finetune.trainer.distributed.ProcessGroup;
import java.util.List;

/**
 * This process's place in a run.
 *
 * @param group the processes that train together
 * @param devices where this one computes: cpu, or cuda:N
 * @param host the pod or machine that it runs in, for people
 */
record LocalRank(ProcessGroup group, List<String> devices, String host) {
  LocalRank {
    devices = List.copyOf(devices);
  }

  /** Whether this is rank 0, which alone reads and writes the destination and reports. */
  boolean leads() {
    return group.rank() == 0;
  }
}
