package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.PrefixTuningOptions;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.Tuning;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Prefix tuning (arXiv:2101.00190) as in PEFT, without a projection: n keys and values of every
 * layer that attention sees before those of the text, drawn from a normal distribution at first.
 * The text's positions begin behind them; the keys aren't rotated.
 */
final class PrefixMethod implements TuningMethod {
  private final int virtualTokens;
  private final ModelFolder folder;

  PrefixMethod(PrefixTuningOptions options, ModelFolder folder, Boolean packing) {
    VirtualTokens.refusePacking("prefixTuning", packing);
    this.virtualTokens = options.virtualTokens();
    this.folder = folder;
  }

  @Override
  public TrainedTensors tensors() {
    long size = folder.config().keyValueHeads() * folder.config().headDim();
    List<TrainedTensor> tensors = new ArrayList<>();
    for (int layer = 0; layer < folder.config().layers(); layer++) {
      for (String name : List.of(PrefixFile.keys(layer), PrefixFile.values(layer))) {
        tensors.add(
            new TrainedTensor(
                name, name, layer, virtualTokens, size, Start.NORMAL, ParameterGroup.MATRICES));
      }
    }
    return new TrainedTensors(tensors);
  }

  @Override
  public Tuning tuning() {
    return Tuning.ofPrefix(virtualTokens);
  }

  @Override
  public TrainedTensors saved() {
    long columns = tensors().all().stream().mapToLong(TrainedTensor::columns).sum();
    return new TrainedTensors(
        List.of(
            new TrainedTensor(
                PrefixFile.NAME,
                PrefixFile.NAME,
                0,
                virtualTokens,
                columns,
                Start.NORMAL,
                ParameterGroup.MATRICES)));
  }

  @Override
  public Map<String, HostTensor> toFile(TunedValues values) {
    return Map.of(PrefixFile.NAME, PrefixFile.join(values.tensors()));
  }

  @Override
  public TunedValues fromFile(Map<String, HostTensor> saved) {
    return new TunedValues(
        PrefixFile.split(saved.get(PrefixFile.NAME), folder.config().layers()), Map.of());
  }

  @Override
  public Optional<String> config() {
    return Optional.of(AdapterConfig.prefix(virtualTokens, folder));
  }

  @Override
  public int virtualTokens() {
    return virtualTokens;
  }

  /** Attention's keys and values behind the prefix's are copies. */
  @Override
  public long keptPerToken(int layer, int bytesPerNumber) {
    return 2 * folder.config().keyValueHeads() * folder.config().headDim() * bytesPerNumber;
  }
}
