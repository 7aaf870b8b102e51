package dev.finetune.trainer.model;

/**
 * NF4 written down a second time, one number after the other, from QLoRA (arXiv:2305.14314) and
 * bitsandbytes' dQuantizeNF4, quantize_4bit and dequantize_4bit: what nf4.py must give bit for bit.
 *
 * @param codes two of each byte, the first in its upper half
 * @param absmax largest absolute value of each block of 64
 * @param absmaxCodes index of each of them in the table
 * @param scales largest absolute value of each block of 256 of them, less the offset
 * @param offset their mean
 */
public record Nf4Reference(
    int[] codes, float[] absmax, int[] absmaxCodes, float[] scales, float offset) {

  /** The middles between the values, as bitsandbytes' decision tree has them. */
  private static final double[] BOUNDS = {
    -0.8480964004993439,
    -0.6106329262256622,
    -0.4599952697753906,
    -0.33967943489551544,
    -0.23460740596055984,
    -0.13791173323988914,
    -0.045525018125772476,
    0.03979014977812767,
    0.1202552504837513,
    0.2035212516784668,
    0.2920137718319893,
    0.3893125355243683,
    0.5016634166240692,
    0.6427869200706482,
    0.8614784181118011,
  };

  /** Quantises. */
  public static Nf4Reference of(float[] numbers) {
    int[] codes = new int[(numbers.length + 1) / 2];
    float[] absmax = new float[(numbers.length + 63) / 64];
    for (int i = 0; i < codes.length * 2; i++) {
      int block = i / 64;
      if (i % 64 == 0) {
        absmax[block] = largest(numbers, 64 * block, 64 * block + 64);
      }
      float number = i < numbers.length ? numbers[i] : 0;
      int code = 0;
      for (double bound : BOUNDS) {
        code += number * reciprocal(absmax[block]) > (float) bound ? 1 : 0;
      }
      codes[i / 2] += i % 2 == 0 ? code << 4 : code;
    }
    double sum = 0;
    for (float value : absmax) {
      sum += value;
    }
    float offset = (float) (sum / absmax.length);
    float[] centred = new float[absmax.length];
    for (int i = 0; i < centred.length; i++) {
      centred[i] = absmax[i] - offset;
    }
    float[] table = Nf4.absmaxTable();
    int[] absmaxCodes = new int[centred.length];
    float[] scales = new float[(centred.length + 255) / 256];
    for (int i = 0; i < centred.length; i++) {
      int block = i / 256;
      if (i % 256 == 0) {
        scales[block] = largest(centred, i, i + 256);
      }
      absmaxCodes[i] = nearest(centred[i] * reciprocal(scales[block]), table);
    }
    return new Nf4Reference(codes, absmax, absmaxCodes, scales, offset);
  }

  private static float largest(float[] numbers, int start, int end) {
    float largest = 0;
    for (int i = start; i < Math.min(end, numbers.length); i++) {
      largest = Math.max(largest, Math.abs(numbers[i]));
    }
    return largest;
  }

  private static float reciprocal(float value) {
    return 1 / Math.max(value, 1e-38f);
  }

  /** The index of the nearest value; of the lower one of two that are equally near. */
  private static int nearest(float number, float[] ascending) {
    int index = 0;
    while (index + 1 < ascending.length && number > (ascending[index] + ascending[index + 1]) / 2) {
      index++;
    }
    return index;
  }

  /** The numbers as they are computed with, in float32. */
  public float[] dequantized(int length) {
    float[] table = Nf4.absmaxTable();
    float[] values = Nf4.values();
    float[] numbers = new float[length];
    for (int i = 0; i < length; i++) {
      int block = i / 64;
      float restored = table[absmaxCodes[block]] * scales[block / 256];
      restored += offset;
      int code = i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15;
      numbers[i] = values[code] * restored;
    }
    return numbers;
  }
}
