package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.FullOptions;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.ModelPart;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Full fine-tuning: the weights themselves train, or those of the last layers with the final norm
 * and the head. They are float32 whatever the model computes in, and what it computes with is cast
 * from them. A head that is the embedding's matrix trains as both, so then the gradient goes down
 * to the embedding however few layers train. Of a model for pictures the projector and the vision
 * tower train as a whole, where they aren't frozen.
 */
final class FullMethod implements TuningMethod {
  private final ModelFolder folder;
  private final boolean languageModelFrozen;
  private final List<TrainedTensor> tensors = new ArrayList<>();

  FullMethod(FullOptions options, ModelFolder folder, FrozenParts frozen) {
    this(options, folder, frozen, false);
  }

  /**
   * @param frozen parts that don't train
   * @param decayVectors whether the norms and biases decay too, as in an AdamW with one group
   */
  FullMethod(FullOptions options, ModelFolder folder, FrozenParts frozen, boolean decayVectors) {
    this.folder = folder;
    this.languageModelFrozen = frozen.contains(ModelPart.LANGUAGE_MODEL);
    int layers = folder.config().layers();
    int last = options.lastLayers() == null ? layers : options.lastLayers();
    if (last > layers) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "full.lastLayers is %d, and the model has %d layers; leave it out to train them all"
              .formatted(last, layers));
    }
    folder
        .shapes()
        .forEach(
            (name, shape) -> {
              int part = folder.partOf(name);
              ModelPart of = ModelFolder.modelPart(name);
              boolean everything = options.lastLayers() == null || of != ModelPart.LANGUAGE_MODEL;
              boolean tied = part == TrainedTensor.EMBEDDING && folder.tiedHead();
              if (!frozen.contains(of) && (everything || tied || part >= layers - last)) {
                tensors.add(tensor(name, part, shape, decayVectors));
              }
            });
    tensors.sort(Comparator.comparingInt(TrainedTensor::part));
  }

  private static TrainedTensor tensor(String name, int part, long[] shape, boolean decayVectors) {
    boolean vector = shape.length == 1;
    return new TrainedTensor(
        name,
        name,
        part,
        shape[0],
        vector ? 0 : Arrays.stream(shape).skip(1).reduce(1, (a, b) -> a * b),
        Start.GIVEN,
        vector && !decayVectors ? ParameterGroup.VECTORS : ParameterGroup.MATRICES);
  }

  @Override
  public TrainedTensors tensors() {
    return new TrainedTensors(tensors);
  }

  @Override
  public Set<String> replacedWeights() {
    Set<String> names = new HashSet<>();
    tensors.forEach(tensor -> names.add(tensor.name()));
    return names;
  }

  @Override
  public boolean tiesHead() {
    return folder.tiedHead() && !languageModelFrozen;
  }

  @Override
  public void putStarts(CausalLm base, ScriptValue starts) {
    base.putWeights(starts, replacedWeights());
  }

  /** The inputs of the linear layers, those of one input once; o_proj's is kept anyway. */
  @Override
  public long keptPerToken(int layer, int bytesPerNumber) {
    if (trainedNumbers(layer) == 0) {
      return 0;
    }
    Set<String> inputs = new HashSet<>();
    return folder.linearLayers().stream()
        .filter(linear -> linear.layer() == layer && !linear.suffix().equals("o_proj"))
        .filter(linear -> inputs.add(linear.input()))
        .mapToLong(linear -> linear.in() * bytesPerNumber)
        .sum();
  }
}
