package dev.finetune.trainer.safetensors;

import java.nio.ByteBuffer;

/**
 * A tensor in main memory, as it lies in a safetensors file.
 *
 * @param dtype the format's name of the element type, such as F32
 * @param shape the sizes of its dimensions
 * @param bytes the elements in row-major, little-endian order; a read-only view
 */
public record HostTensor(String dtype, long[] shape, ByteBuffer bytes) {
  /** Number of elements. */
  public long elements() {
    long product = 1;
    for (long size : shape) {
      product *= size;
    }
    return product;
  }
}
