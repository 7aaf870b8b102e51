package dev.finetune.trainer.data;

/**
 * The random numbers behind every order and draw of rows: SplitMix64 (Steele, Lea and Flood, "Fast
 * splittable pseudorandom number generators", 2014). Written out, so that an order never depends on
 * a JDK's version.
 */
final class SplitMix64 {
  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  private long state;

  /**
   * A generator of its own for each purpose and index under one seed.
   *
   * @param seed the recipe's seed
   * @param purpose what the numbers are for
   * @param index the epoch, the file's number, or both as one
   */
  SplitMix64(long seed, Purpose purpose, long index) {
    state = mix(seed + GOLDEN_GAMMA);
    state = mix(state ^ mix(purpose.code + GOLDEN_GAMMA));
    state = mix(state ^ mix(index + GOLDEN_GAMMA));
  }

  private SplitMix64(long state) {
    this.state = state;
  }

  /** The generator as published, from a state of one's own. */
  static SplitMix64 fromState(long state) {
    return new SplitMix64(state);
  }

  /** What numbers are drawn for. The codes are part of the format: they never change. */
  enum Purpose {
    EPOCH(1),
    VALIDATION(2),
    SAMPLE(3),
    WEIGHT(4),
    LENGTH_GROUPS(5),
    PACKING(6);

    private final long code;

    Purpose(long code) {
      this.code = code;
    }
  }

  long next() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /**
   * Uniform in [0, bound), without bias: draws of 31 bits beyond a multiple of bound are redone.
   */
  int next(int bound) {
    while (true) {
      int bits = (int) (next() >>> 33);
      int value = bits % bound;
      // Negative by overflow exactly where bits lies in the last, incomplete run of bound values.
      if (bits - value + (bound - 1) >= 0) {
        return value;
      }
    }
  }

  /** The numbers 0 to size - 1 in random order: Fisher and Yates, from the end. */
  int[] permutation(int size) {
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      order[i] = i;
    }
    for (int i = size - 1; i > 0; i--) {
      int j = next(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
