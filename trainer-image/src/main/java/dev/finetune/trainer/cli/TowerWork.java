package dev.finetune.trainer.cli;

import dev.finetune.trainer.method.TuningMethod;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.ModelPart;
import dev.finetune.trainer.model.VisionConfig;

/** Floating-point operations of looking at a tile, from the passes that vision.py makes. */
final class TowerWork {
  /** A multiplication and an addition of each weight, at each position. */
  private static final int PASS = 2;

  private TowerWork() {}

  /** Of the frozen weights alone; 0 where the model takes text alone. */
  static double flopsPerTile(ModelFolder folder, TuningMethod method) {
    return folder.vision().map(sizes -> flops(sizes, folder, method)).orElse(0.0);
  }

  private static double flops(VisionConfig sizes, ModelFolder folder, TuningMethod method) {
    boolean tower = method.trains(ModelPart.VISION_TOWER);
    boolean projector = tower || method.trains(ModelPart.PROJECTOR);
    // Forward, and again for the backward pass; where the tower trains, each of its layers once
    // more
    // and the gradient of its input.
    int passesOfTower = tower ? 4 : projector ? 2 : 1;
    int passesOfProjector = projector ? 3 : 1;
    return (double) PASS
        * (passesOfTower * sizes.tokens() * folder.parameters(ModelPart.VISION_TOWER)
            + passesOfProjector * sizes.tokensPerTile() * folder.parameters(ModelPart.PROJECTOR));
  }
}
