package dev.finetune.trainer.model;

import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.safetensors.TensorEntry;
import dev.finetune.trainer.safetensors.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Loads a folder's weights into a script. Files are memory-mapped by libtorch and each weight is
 * converted once; float32 weights in a float32 run on the CPU stay views of the mapped pages.
 */
final class ModelWeights implements AutoCloseable {
  private record Mapping(Path file, TensorType type) {}

  private final TorchScript script;
  private final Map<Mapping, ScriptValue> mappings = new HashMap<>();

  private ModelWeights(TorchScript script) {
    this.script = script;
  }

  /**
   * Loads the weights of some layers.
   *
   * @param layers which
   * @param torchType number of the element type to compute with
   * @param device such as cpu or cuda:0
   * @return the script's dictionary of weights, with lm_head.weight also where it is tied
   */
  static ScriptValue load(
      TorchScript script, ModelFolder folder, LayerRange layers, int torchType, String device) {
    ScriptValue weights = script.call("no_weights");
    try (ModelWeights loader = new ModelWeights(script)) {
      folder
          .weights(layers)
          .forEach((name, location) -> loader.put(weights, location, torchType, device));
      if (folder.tiedHead() && layers.hasHead()) {
        script.run("tie_weight", weights, "lm_head.weight", "model.embed_tokens.weight");
      }
      return weights;
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  private void put(ScriptValue weights, WeightLocation location, int torchType, String device) {
    TensorEntry entry = location.entry();
    int size = entry.type().bytes();
    int fileType = TorchTypes.of(entry.type());
    if (entry.offset() % size == 0) {
      ScriptValue file = map(location.file(), entry.type());
      long first = entry.offset() / size;
      script.run(
          "put_weight", weights, entry.name(), file, first, entry.shape(), torchType, device);
    } else {
      ScriptValue file = map(location.file(), TensorType.U8);
      script.run(
          "put_unaligned_weight",
          weights,
          entry.name(),
          file,
          entry.offset(),
          entry.bytes(),
          entry.shape(),
          fileType,
          torchType,
          device);
    }
  }

  private ScriptValue map(Path file, TensorType type) {
    return mappings.computeIfAbsent(
        new Mapping(file, type),
        mapping -> {
          try {
            long elements = Files.size(file) / type.bytes();
            return script.call(
                "map_file", file.toAbsolutePath().toString(), elements, TorchTypes.of(type));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** Closes the handles; the weights keep the mappings that they are views of. */
  @Override
  public void close() {
    mappings.values().forEach(ScriptValue::close);
  }
}
