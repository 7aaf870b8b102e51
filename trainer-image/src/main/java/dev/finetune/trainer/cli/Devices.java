package dev.finetune.trainer.cli;

import dev.finetune.trainer.engine.TorchRuntime;
import java.util.List;
import java.util.stream.IntStream;

/** Where models are computed. */
final class Devices {
  private Devices() {}

  /** Every GPU that the process sees, or the CPU where there is none. */
  static List<String> visible() {
    int gpus = TorchRuntime.cudaDevices();
    return gpus == 0
        ? List.of("cpu")
        : IntStream.range(0, gpus).mapToObj(i -> "cuda:" + i).toList();
  }
}
