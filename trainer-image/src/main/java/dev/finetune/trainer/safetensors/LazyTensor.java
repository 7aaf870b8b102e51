package dev.finetune.trainer.safetensors;

import java.util.function.Supplier;

/**
 * A tensor whose elements are computed when they are written, so that a file may be larger than the
 * memory.
 *
 * @param type element type
 * @param shape the sizes of its dimensions
 * @param values gives a tensor of that type and shape
 */
public record LazyTensor(TensorType type, long[] shape, Supplier<HostTensor> values) {
  /** A tensor that is there already. */
  public static LazyTensor of(HostTensor tensor) {
    return new LazyTensor(TensorType.valueOf(tensor.dtype()), tensor.shape(), () -> tensor);
  }

  /** Size of its elements in the file. */
  public long bytes() {
    long elements = 1;
    for (long size : shape) {
      elements *= size;
    }
    return elements * type.bytes();
  }
}
