package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.Activation;
import dev.finetune.api.v1alpha1.AdapterOptions;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.Tuning;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Bottleneck adapters (arXiv:1902.00751): behind the last linear layer of attention and of the MLP
 * of every layer, before the residual is added, h becomes h + up(activation(down(h))). The up
 * matrix and the biases start at zero, so the model starts unchanged; down starts as a linear layer
 * of PyTorch does.
 */
final class BottleneckMethod implements TuningMethod {
  private final AdapterOptions options;
  private final ModelFolder folder;
  private final List<LinearLayer> behind;

  BottleneckMethod(AdapterOptions options, ModelFolder folder) {
    this.options = options;
    this.folder = folder;
    this.behind = folder.linearLayers().stream().filter(LinearLayer::endsBlock).toList();
  }

  @Override
  public TrainedTensors tensors() {
    List<TrainedTensor> tensors = new ArrayList<>();
    for (LinearLayer layer : behind) {
      String down = ".adapter_down";
      String up = ".adapter_up";
      long size = options.size();
      tensors.add(tensor(layer, down + ".weight", size, layer.out(), Start.UNIFORM));
      tensors.add(tensor(layer, down + ".bias", size, 0, Start.ZEROS));
      tensors.add(tensor(layer, up + ".weight", layer.out(), size, Start.ZEROS));
      tensors.add(tensor(layer, up + ".bias", layer.out(), 0, Start.ZEROS));
    }
    return new TrainedTensors(tensors);
  }

  private static TrainedTensor tensor(
      LinearLayer layer, String kind, long rows, long columns, Start start) {
    return new TrainedTensor(
        layer.name() + kind,
        PeftNames.ofParameter(layer.module() + kind),
        layer.layer(),
        rows,
        columns,
        start,
        columns == 0 ? ParameterGroup.VECTORS : ParameterGroup.MATRICES);
  }

  @Override
  public Tuning tuning() {
    return Tuning.ofActivation(scriptName(options.activation()));
  }

  /** The function's name in the script and in the file. */
  static String scriptName(Activation activation) {
    return switch (activation) {
      case GELU -> "gelu";
      case RELU -> "relu";
      case SILU -> "silu";
    };
  }

  @Override
  public Optional<String> config() {
    return Optional.of(AdapterConfig.bottleneck(options, behind, folder));
  }

  /** The block's result, and the inner values before and after the activation. */
  @Override
  public long keptPerToken(int layer, int bytesPerNumber) {
    return behind.stream()
        .filter(linear -> linear.layer() == layer)
        .mapToLong(linear -> (linear.out() + 2L * options.size()) * bytesPerNumber)
        .sum();
  }
}
