package dev.finetune.trainer.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * A tensor in main memory, as it lies in a safetensors file.
 *
 * @param dtype the format's name of the element type, such as F32
 * @param shape the sizes of its dimensions
 * @param bytes the elements in row-major, little-endian order; a read-only view
 */
public record HostTensor(String dtype, long[] shape, ByteBuffer bytes) {
  /** A tensor of I64 with a copy of the values, in row-major order. */
  public static HostTensor ofLongs(long[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return new HostTensor("I64", shape, readOnly(bytes));
  }

  /** A tensor of F32 with a copy of the values, in row-major order. */
  public static HostTensor ofFloats(float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new HostTensor("F32", shape, readOnly(bytes));
  }

  /** The values of a tensor of F32, a view. */
  public FloatBuffer floats() {
    if (!dtype.equals("F32")) {
      throw new IllegalStateException("not F32 but " + dtype);
    }
    return bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  /** The values of a tensor of I64, a view. */
  public LongBuffer longs() {
    if (!dtype.equals("I64")) {
      throw new IllegalStateException("not I64 but " + dtype);
    }
    return bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
  }

  private static ByteBuffer readOnly(ByteBuffer bytes) {
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Number of elements. */
  public long elements() {
    long product = 1;
    for (long size : shape) {
      product *= size;
    }
    return product;
  }
}
