package dev.finetune.trainer.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Rounds float32 to the 16-bit types, to the nearest and of two as near ones to the even. */
public final class TensorCast {
  private TensorCast() {}

  /**
   * The tensor in another type.
   *
   * @param tensor of F32
   * @param type F32, BF16 or F16
   */
  public static HostTensor to(TensorType type, HostTensor tensor) {
    return switch (type) {
      case F32 -> tensor;
      case BF16, F16 -> halved(type, tensor);
      default -> throw new IllegalArgumentException("not a weight's type: " + type);
    };
  }

  private static HostTensor halved(TensorType type, HostTensor tensor) {
    FloatBuffer values = tensor.floats();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.limit() * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.limit(); i++) {
      float value = values.get(i);
      bytes.putShort(type == TensorType.BF16 ? bfloat16(value) : float16(value));
    }
    ByteBuffer written = bytes.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    return new HostTensor(type.name(), tensor.shape(), written);
  }

  /** The upper half of the bits. */
  static short bfloat16(float value) {
    if (Float.isNaN(value)) {
      return 0x7FC0;
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** IEEE 754 binary16: five bits of exponent, ten of fraction. */
  static short float16(float value) {
    int sign = (Float.floatToRawIntBits(value) >>> 16) & 0x8000;
    if (Float.isNaN(value)) {
      return (short) (sign | 0x7E00);
    }
    float size = Math.abs(value);
    // Half way between the largest number and the next one, which would be 2^16.
    if (size >= 65520f) {
      return (short) (sign | 0x7C00);
    }
    int exponent = Math.max(Math.getExponent(size), -14);
    // In units of the last place; rint rounds ties to even. 1024 carries into the exponent.
    int units = (int) Math.rint(Math.scalb((double) size, 10 - exponent));
    return (short) (sign | (((exponent + 14) << 10) + units));
  }
}
