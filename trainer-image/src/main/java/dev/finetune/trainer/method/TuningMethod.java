package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.MethodOptions;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.Tuning;

/**
 * A way to tune a model: which tensors train, and how they are saved. What they do in the network
 * is in causal_lm.py, by their names; everything else, from gradients to checkpoints, is the same
 * for all methods ({@link TunedModel}).
 */
public sealed interface TuningMethod permits LoraMethod {
  /**
   * The method of a recipe on a model.
   *
   * @param recipe with every default filled in
   * @param folder the checked base model
   * @throws dev.finetune.trainer.TrainerException with USAGE if the method's settings don't fit the
   *     model
   */
  static TuningMethod of(Recipe recipe, ModelFolder folder) {
    MethodOptions method = recipe.method();
    if (method.lora() == null) {
      throw new TrainerException(TrainerExit.USAGE, "the only method that there is yet is lora");
    }
    return new LoraMethod(method.lora(), folder);
  }

  /** What trains, in the order of the network. */
  TrainedTensors tensors();

  /** What the script reads beside the tensors. */
  Tuning tuning();

  /** Probability with which an element of an adapter's input is zeroed in training. */
  double dropout();

  /**
   * Puts the tensors whose {@link Start} is GIVEN into the script's dictionary, by their names.
   *
   * @param base the layers whose tensors are wanted
   */
  default void putStarts(CausalLm base, ScriptValue starts) {}

  /** PEFT's adapter_config.json as a JSON text. */
  String config();

  /** Numbers that train in a part of the network. */
  default long trainedNumbers(int part) {
    return tensors().all().stream()
        .filter(tensor -> tensor.part() == part)
        .mapToLong(TrainedTensor::elements)
        .sum();
  }

  /**
   * Bytes that the graph of a decoder layer keeps of each token for this method, besides what the
   * base model's keeps.
   *
   * @param bytesPerNumber of the activations
   */
  long keptPerToken(int layer, int bytesPerNumber);
}
