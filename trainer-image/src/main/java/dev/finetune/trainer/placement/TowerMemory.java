package dev.finetune.trainer.placement;

import dev.finetune.trainer.model.VisionConfig;

/**
 * The memory that looking at pictures takes beside the weights, counted from what vision.py keeps
 * and not measured. With n tiles of T positions, N = n T, Cv the tower's hidden size, Iv its MLP's,
 * C the language model's, M = N / 4 about the pieces, and e bytes of a number:
 *
 * <ul>
 *   <li>the forward pass keeps nothing but the state: it needs N (2 Cv + 2 Iv) e for the widest
 *       place of a layer, its MLP, and before the first layer the pixels, of which three float32
 *       copies are there at once;
 *   <li>where the projector trains, its graph: M (8 Cv + 3 C) e;
 *   <li>where the tower trains, the inputs of all its layers, N Cv e each, and the graph of one
 *       with what its backward pass needs: N (11 Cv + 4 Iv) e.
 * </ul>
 *
 * None of it lives longer than a micro-batch's pass through it, so it doesn't grow with the
 * micro-batches in flight.
 */
record TowerMemory(VisionConfig sizes, long tiles, int bytesPerNumber) {
  private static final int FLOAT_COPIES_OF_PIXELS = 3;

  /** Bytes at the worst moment. */
  long activations(boolean trainsProjector, boolean trainsTower) {
    long positions = tiles * sizes.tokens();
    long forward =
        Math.max(pixels(), positions * 2 * (sizes.hidden() + sizes.inner()) * bytesPerNumber);
    long pieces = tiles * sizes.tokensPerTile();
    long projector = pieces * (8 * sizes.hidden() + 3 * sizes.text()) * bytesPerNumber;
    long state = positions * sizes.hidden() * bytesPerNumber;
    if (trainsTower) {
      long layer = positions * (11 * sizes.hidden() + 4 * sizes.inner()) * bytesPerNumber;
      return sizes.layers() * state + Math.max(layer, projector);
    }
    return trainsProjector ? Math.max(forward, state + 2 * projector) : forward;
  }

  private long pixels() {
    long values = tiles * sizes.imageSize() * sizes.imageSize() * 3;
    return values * (1 + FLOAT_COPIES_OF_PIXELS * Float.BYTES);
  }
}
