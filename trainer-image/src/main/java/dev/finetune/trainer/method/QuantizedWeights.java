package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.LoraInitialization;
import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.Quantization;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;

/** Which methods need the weights as they are. */
final class QuantizedWeights {
  private QuantizedWeights() {}

  /**
   * Refuses quantized weights that are to train, or that a part is to be taken out of.
   *
   * @throws TrainerException with {@link TrainerExit#USAGE}
   */
  static void check(Recipe recipe) {
    if (recipe.model() == null || recipe.model().quantization() != Quantization.NF4) {
      return;
    }
    if (recipe.method().full() != null) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "model.quantization NF4 stores frozen weights, and method.full trains them; take lora, or None");
    }
    LoraOptions lora = recipe.method().lora();
    if (lora != null && lora.initialization() == LoraInitialization.PISSA) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "PiSSA changes the frozen weights, which model.quantization NF4 stores rounded; take another initialization, or None");
    }
  }
}
