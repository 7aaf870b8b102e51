package dev.finetune.trainer.engine;

import java.util.Optional;
import java.util.stream.Stream;

/**
 * What libtorch says when a GPU fails: "CUDA error: uncorrectable ECC error encountered", "cuDNN
 * error: ...". After the first one the process can't use the device any more; such a fault of a
 * node is worth another attempt elsewhere.
 */
public final class DeviceFault {
  private DeviceFault() {}

  /** The engine's sentence about the device, where a throwable or one of its causes has it. */
  public static Optional<String> in(Throwable thrown) {
    return Stream.iterate(thrown, cause -> cause != null, Throwable::getCause)
        .filter(cause -> cause.getMessage() != null)
        .flatMap(cause -> cause.getMessage().lines())
        .map(String::strip)
        .filter(line -> line.matches(".*\\b(CUDA|cuDNN|CUBLAS|NCCL) error: .*"))
        .findFirst();
  }
}
