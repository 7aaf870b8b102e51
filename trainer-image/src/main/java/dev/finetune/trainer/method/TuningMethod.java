package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.MethodOptions;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.ModelPart;
import dev.finetune.trainer.model.Tuning;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A way to tune a model: which tensors train, and how they are saved. What they do in the network
 * is in causal_lm.py, by their names; everything else, from gradients to checkpoints, is the same
 * for all methods ({@link TunedModel}).
 */
public sealed interface TuningMethod
    permits LoraMethod, FullMethod, PrefixMethod, PromptMethod, Ia3Method, BottleneckMethod {
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
    QuantizedWeights.check(recipe);
    FrozenParts frozen = FrozenParts.of(recipe.model().freeze(), folder);
    if (method.full() != null) {
      return new FullMethod(method.full(), folder, frozen);
    }
    if (method.lora() != null) {
      return new LoraMethod(method.lora(), recipe.training().learningRate(), folder, frozen);
    }
    if (method.prefixTuning() != null) {
      frozen.requireLanguageModel("prefixTuning");
      return new PrefixMethod(method.prefixTuning(), folder, recipe.training().packing());
    }
    if (method.promptTuning() != null) {
      frozen.requireLanguageModel("promptTuning");
      return new PromptMethod(method.promptTuning(), folder, recipe.training());
    }
    if (method.ia3() != null) {
      frozen.requireLanguageModel("ia3");
      return new Ia3Method(method.ia3(), folder);
    }
    frozen.requireLanguageModel("adapter");
    return new BottleneckMethod(method.adapter(), folder);
  }

  /** What trains, in the order of the network. */
  TrainedTensors tensors();

  /** What the script reads beside the tensors. */
  default Tuning tuning() {
    return Tuning.NONE;
  }

  /** Probability with which an element of an adapter's input is zeroed in training. */
  default double dropout() {
    return 0;
  }

  /** The base model's weights that train themselves; they aren't held a second time. */
  default Set<String> replacedWeights() {
    return Set.of();
  }

  /** Whether the head is the embedding's matrix, and that trains. */
  default boolean tiesHead() {
    return false;
  }

  /**
   * Puts the tensors whose {@link Start} is GIVEN into the script's dictionary, by their names.
   *
   * @param base the layers whose tensors are wanted
   */
  default void putStarts(CausalLm base, ScriptValue starts) {}

  /** Those of the tensors whose start is needed to save them: what was taken out of the weights. */
  default TrainedTensors remembered() {
    return new TrainedTensors(List.of());
  }

  /**
   * Takes the remembered start out of the base model's weights.
   *
   * @param base some of the layers
   * @param start the remembered tensors of these layers, by file name
   */
  default void takeOut(CausalLm base, Map<String, HostTensor> start) {}

  /** The tensors as they are saved; their parts mean nothing. */
  default TrainedTensors saved() {
    return tensors();
  }

  /** What trains, in the form in which it is saved. */
  default Map<String, HostTensor> toFile(TunedValues values) {
    return values.tensors();
  }

  /** The inverse of {@link #toFile}. */
  default TunedValues fromFile(Map<String, HostTensor> saved) {
    return new TunedValues(saved, Map.of());
  }

  /** PEFT's adapter_config.json as a JSON text; empty where whole weights are saved. */
  default Optional<String> config() {
    return Optional.empty();
  }

  /**
   * Numbers that train in a part of the network: -1 is the embedding, then layers, then the head.
   */
  default long trainedNumbers(int part) {
    return tensors().all().stream()
        .filter(tensor -> tensor.part() == part)
        .mapToLong(TrainedTensor::elements)
        .sum();
  }

  /** Counts of what trains and of the whole model with it. */
  default ParameterCounts counts(ModelFolder folder) {
    LayerRange all = LayerRange.all(folder.config().layers());
    long trainable = tensors().elements();
    return new ParameterCounts(trainable, folder.parameters(all, replacedWeights()) + trainable);
  }

  /** Whether something trains in a part of the model. */
  default boolean trains(ModelPart part) {
    return tensors().all().stream()
        .anyMatch(tensor -> ModelFolder.modelPart(tensor.name()) == part);
  }

  /** Tokens before every sequence that aren't in the data. */
  default int virtualTokens() {
    return 0;
  }

  /**
   * Bytes that the graph of a decoder layer keeps of each token for this method, besides what the
   * base model's keeps.
   *
   * @param bytesPerNumber of the activations
   */
  long keptPerToken(int layer, int bytesPerNumber);
}
