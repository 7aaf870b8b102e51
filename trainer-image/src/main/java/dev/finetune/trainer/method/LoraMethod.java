package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.Tuning;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Low-rank adaptation (arXiv:2106.09685): each target's weight W (out, in) stays frozen and becomes
 * W + s B A with A (r, in) and B (out, r) trained, s = alpha / r, or alpha / sqrt(r) where it is
 * rank-stabilised (arXiv:2312.03732). A starts uniform in +-1/sqrt(in), B at zero.
 */
final class LoraMethod implements TuningMethod {
  private final LoraOptions lora;
  private final ModelFolder folder;
  private final List<LinearLayer> adapted;

  LoraMethod(LoraOptions lora, ModelFolder folder) {
    this.lora = lora;
    this.folder = folder;
    this.adapted = LoraTargets.resolve(lora.targetModules(), folder.linearLayers());
  }

  @Override
  public TrainedTensors tensors() {
    List<TrainedTensor> tensors = new ArrayList<>();
    for (LinearLayer layer : adapted) {
      tensors.add(tensor(layer, ".lora_A", lora.rank(), layer.in(), Start.UNIFORM));
      tensors.add(tensor(layer, ".lora_B", layer.out(), lora.rank(), Start.ZEROS));
    }
    return new TrainedTensors(tensors);
  }

  private static TrainedTensor tensor(
      LinearLayer layer, String kind, long rows, long columns, Start start) {
    String name = layer.name() + kind;
    return new TrainedTensor(
        name,
        PeftNames.ofMatrix(name),
        layer.layer(),
        rows,
        columns,
        start,
        ParameterGroup.MATRICES);
  }

  @Override
  public Tuning tuning() {
    double scale =
        lora.variant() == LoraVariant.RANK_STABILIZED
            ? lora.alpha() / Math.sqrt(lora.rank())
            : lora.alpha() / lora.rank();
    return new Tuning(Map.of("", scale));
  }

  @Override
  public double dropout() {
    return lora.dropout();
  }

  @Override
  public String config() {
    return AdapterConfig.json(lora, adapted, folder.linearLayers(), folder.path());
  }

  /**
   * x A^T of each adapted layer; without dropout their inputs too, shared by those with the same
   * one (that of o_proj is attention's result, which is kept anyway), and with dropout for each its
   * own masked input and the mask.
   */
  @Override
  public long keptPerToken(int layer, int bytesPerNumber) {
    long bytes = 0;
    Set<String> inputs = new HashSet<>();
    for (LinearLayer linear : adapted) {
      if (linear.layer() == layer) {
        bytes += (long) lora.rank() * bytesPerNumber;
        if (lora.dropout() > 0) {
          bytes += linear.in() * (bytesPerNumber + 1);
        } else if (!linear.suffix().equals("o_proj") && inputs.add(linear.input())) {
          bytes += linear.in() * bytesPerNumber;
        }
      }
    }
    return bytes;
  }
}
