package dev.finetune.trainer.method;

import dev.finetune.trainer.model.ModelFolder;

/**
 * Seeds of what a micro-batch draws: the dropout masks of each layer, which can so be computed
 * again alone, behind them the head's, NEFTune's noise on the embeddings, and last those of each
 * layer of a vision tower and of its projector.
 */
final class DropoutSeeds {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private DropoutSeeds() {}

  /**
   * As many as layers, and two, and with a tower its layers and one: numbers below 2^32 (PyTorch's
   * CPU generator takes no more of a seed) by SplitMix64.
   *
   * @param seed the micro-batch's
   * @param model whose layers are counted
   */
  static long[] of(long seed, ModelFolder model) {
    return of(seed, model.config().layers(), model.towerLayers());
  }

  /**
   * @param layers of the decoder
   * @param ofTower layers of the tower; 0: there is none
   */
  static long[] of(long seed, int layers, int ofTower) {
    long[] seeds = new long[layers + 2 + (ofTower == 0 ? 0 : ofTower + 1)];
    for (int i = 0; i < seeds.length; i++) {
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
