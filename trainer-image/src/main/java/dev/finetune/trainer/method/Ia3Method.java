package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.Ia3Options;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelFolder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * IA3 (arXiv:2205.05638) as in PEFT: a vector of ones at first scales the result of each target, or
 * its input where it is a feedforward module. It doesn't decay, for zero is no neutral scale.
 */
final class Ia3Method implements TuningMethod {
  /** PEFT's for the architectures that there are: keys, values and the MLP's last. */
  private static final Set<String> DEFAULT_TARGETS =
      Set.of("k_proj", "v_proj", "qkv_proj", "down_proj");

  private static final Set<String> DEFAULT_FEEDFORWARD = Set.of("down_proj");

  private static final String KIND = ".ia3_l";

  private final ModelFolder folder;
  private final List<LinearLayer> scaled;
  private final List<LinearLayer> inputs;

  Ia3Method(Ia3Options ia3, ModelFolder folder) {
    this.folder = folder;
    this.scaled = resolve(ia3.targetModules(), DEFAULT_TARGETS, folder);
    // Of an empty list none is a feedforward module, of an absent one the defaults that are
    // targets.
    List<LinearLayer> feedforward = resolve(ia3.feedforwardModules(), DEFAULT_FEEDFORWARD, folder);
    this.inputs = feedforward.stream().filter(scaled::contains).toList();
    if (ia3.feedforwardModules() != null && inputs.size() < feedforward.size()) {
      List<String> others =
          feedforward.stream()
              .filter(layer -> !scaled.contains(layer))
              .map(LinearLayer::module)
              .toList();
      throw new TrainerException(
          TrainerExit.USAGE,
          "feedforwardModules must be among targetModules, which don't name %s".formatted(others));
    }
  }

  private static List<LinearLayer> resolve(
      List<String> named, Set<String> suffixes, ModelFolder folder) {
    List<LinearLayer> layers = folder.linearLayers();
    if (named == null) {
      return layers.stream().filter(layer -> suffixes.contains(layer.suffix())).toList();
    }
    return named.isEmpty() ? List.of() : LoraTargets.resolve(named, layers);
  }

  @Override
  public TrainedTensors tensors() {
    List<TrainedTensor> tensors = new ArrayList<>();
    for (LinearLayer layer : scaled) {
      boolean ofInput = inputs.contains(layer);
      String name = layer.name() + KIND;
      tensors.add(
          new TrainedTensor(
              name,
              PeftNames.ofParameter(layer.module() + KIND),
              layer.layer(),
              ofInput ? 1 : layer.out(),
              ofInput ? layer.in() : 1,
              Start.ONES,
              ParameterGroup.VECTORS));
    }
    return new TrainedTensors(tensors);
  }

  @Override
  public Optional<String> config() {
    return Optional.of(AdapterConfig.ia3(scaled, inputs, folder));
  }

  /** What is scaled, before it is. */
  @Override
  public long keptPerToken(int layer, int bytesPerNumber) {
    return scaled.stream()
        .filter(linear -> linear.layer() == layer)
        .mapToLong(
            linear -> (inputs.contains(linear) ? linear.in() : linear.out()) * bytesPerNumber)
        .sum();
  }
}
