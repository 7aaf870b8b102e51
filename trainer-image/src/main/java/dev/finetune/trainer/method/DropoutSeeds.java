package dev.finetune.trainer.method;

/**
 * Seeds of the dropout masks: one of each layer, so that a layer can be computed again alone, and
 * behind them one of the head.
 */
final class DropoutSeeds {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private DropoutSeeds() {}

  /**
   * As many as layers, and one: numbers below 2^32 (PyTorch's CPU generator takes no more of a
   * seed) by SplitMix64.
   *
   * @param seed the micro-batch's
   * @param layers of the model
   */
  static long[] of(long seed, int layers) {
    long[] seeds = new long[layers + 1];
    for (int i = 0; i <= layers; i++) {
      seeds[i] = mix(mix(seed) + (i + 1) * GOLDEN_GAMMA) >>> 32;
    }
    return seeds;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
