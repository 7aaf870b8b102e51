package dev.finetune.trainer.model;

import java.util.Arrays;

/**
 * The numbers of NF4, the storage of frozen weights in four bits of QLoRA (arXiv:2305.14314), as
 * bitsandbytes has them; nf4.py is what is done with them.
 */
public final class Nf4 {
  /** Numbers with one largest absolute value, which scales them. */
  private static final int BLOCK = 64;

  /** Those values with one scale of their own. */
  private static final int ABSMAX_BLOCK = 256;

  /** Numbers that are dequantised at a time on a CPU: what is made of them stays in its cache. */
  private static final int CPU_PIECE = 1 << 18;

  /** On a GPU fewer, larger operations are faster. */
  private static final int GPU_PIECE = 1 << 22;

  /**
   * Quantiles of a normal distribution with as many weights between each two, scaled to [-1, 1],
   * with an exact zero; eight positive and seven negative ones: bitsandbytes' create_normal_map.
   */
  private static final float[] VALUES = {
    -1.0f,
    -0.6961928f,
    -0.52507305f,
    -0.3949175f,
    -0.28444138f,
    -0.18477343f,
    -0.091050036f,
    0.0f,
    0.0795803f,
    0.1609302f,
    0.2461123f,
    0.33791524f,
    0.44070983f,
    0.562617f,
    0.72295684f,
    1.0f,
  };

  private static final int EXPONENTS = 7;

  private Nf4() {}

  /** The 16 values, ascending. */
  static float[] values() {
    return VALUES.clone();
  }

  /**
   * The 256 values of a block's largest absolute value, ascending: bitsandbytes' signed
   * create_dynamic_map (arXiv:1511.04561). With an exponent e of -6 to 0, the 2^(e + 6) middles of
   * equal parts of 0.1 to 1 times 10^e, of both signs; 0 and 1. In float32 as PyTorch's linspace,
   * which multiplies and adds with one rounding.
   */
  static float[] absmaxTable() {
    float[] table = new float[256];
    int next = 0;
    for (int i = 0; i < EXPONENTS; i++) {
      int parts = 1 << i;
      float power = (float) Math.pow(10, i - (EXPONENTS - 1));
      for (int part = 0; part < parts; part++) {
        float middle = (boundary(part, parts) + boundary(part + 1, parts)) / 2;
        table[next++] = power * middle;
        table[next++] = -power * middle;
      }
    }
    table[next++] = 0;
    table[next] = 1;
    Arrays.sort(table);
    return table;
  }

  /** Element i of torch.linspace(0.1, 1, parts + 1). */
  private static float boundary(int i, int parts) {
    float step = (1f - 0.1f) / (float) parts;
    boolean lowerHalf = i < (parts + 1) / 2;
    return lowerHalf ? Math.fma(step, (float) i, 0.1f) : Math.fma(-step, (float) (parts - i), 1f);
  }

  /**
   * Bytes that a weight takes: about 4.127 bits for each of its numbers.
   *
   * @param elements how many numbers it has
   */
  public static long bytes(long elements) {
    long blocks = ceilDiv(elements, BLOCK);
    long scales = ceilDiv(blocks, ABSMAX_BLOCK) + 1;
    return ceilDiv(elements, 2) + blocks + Float.BYTES * scales;
  }

  /**
   * Numbers that are quantised or dequantised at a time.
   *
   * @param device cpu, or cuda:N
   */
  static int piece(String device) {
    return device.equals("cpu") ? CPU_PIECE : GPU_PIECE;
  }

  /** Bytes of the room that dequantising has on a GPU: a piece's indices and its numbers. */
  public static long workingBytes() {
    return GPU_PIECE / 2 * Integer.BYTES + GPU_PIECE * Float.BYTES;
  }

  private static long ceilDiv(long a, long b) {
    return (a + b - 1) / b;
  }
}
