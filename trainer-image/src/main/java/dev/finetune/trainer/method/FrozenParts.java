package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.FreezeOptions;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.ModelPart;
import java.util.List;

/**
 * The parts of a model that a recipe leaves as they are.
 *
 * @param options with every default filled in
 */
record FrozenParts(FreezeOptions options) {
  /**
   * Those of a recipe.
   *
   * @param options model.freeze; null: the defaults
   * @param folder the base model
   * @throws TrainerException with {@link TrainerExit#USAGE} if the model has no parts, or none is
   *     left
   */
  static FrozenParts of(FreezeOptions options, ModelFolder folder) {
    if (options != null && folder.towerLayers() == 0) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "model.freeze names parts of a model for pictures, and %s takes text alone; leave it out"
              .formatted(folder.path()));
    }
    FreezeOptions resolved = options == null ? FreezeOptions.DEFAULT : options.resolved();
    if (resolved.languageModel() && resolved.projector() && resolved.visionTower()) {
      throw new TrainerException(
          TrainerExit.USAGE, "model.freeze freezes every part, so nothing is left to train");
    }
    return new FrozenParts(resolved);
  }

  /** Whether a part doesn't train. */
  boolean contains(ModelPart part) {
    return switch (part) {
      case LANGUAGE_MODEL -> options.languageModel();
      case PROJECTOR -> options.projector();
      case VISION_TOWER -> options.visionTower();
    };
  }

  /** The layers that may train. */
  List<LinearLayer> without(List<LinearLayer> layers) {
    return layers.stream().filter(layer -> !contains(layer.part())).toList();
  }

  /**
   * Checks a method that changes the language model alone.
   *
   * @throws TrainerException with {@link TrainerExit#USAGE} if that is frozen
   */
  void requireLanguageModel(String method) {
    if (options.languageModel()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "method.%s trains in the language model, which model.freeze.languageModel freezes; take method.lora or method.full for the other parts"
              .formatted(method));
    }
  }
}
