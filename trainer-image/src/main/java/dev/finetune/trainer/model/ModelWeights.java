package dev.finetune.trainer.model;

import dev.finetune.api.v1alpha1.Quantization;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.TensorEntry;
import dev.finetune.trainer.safetensors.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

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
   * @param without names of weights that are left out
   * @param torchType number of the element type to compute with
   * @param quantization how the linear layers' weights are stored
   * @param device such as cpu or cuda:0
   * @return the script's dictionary of weights, with lm_head.weight also where it is tied
   */
  static ScriptValue load(
      TorchScript script,
      ModelFolder folder,
      LayerRange layers,
      Set<String> without,
      int torchType,
      Quantization quantization,
      String device) {
    ScriptValue weights = script.call("no_weights");
    try (ModelWeights loader = new ModelWeights(script)) {
      Set<String> quantized = quantization == Quantization.NF4 ? linears(folder) : Set.of();
      if (!quantized.isEmpty()) {
        putTables(script, weights, device);
      }
      Map<String, WeightLocation> read = folder.weights(layers);
      read.keySet().removeAll(without);
      read.forEach(
          (name, location) -> {
            if (quantized.contains(name)) {
              loader.putQuantized(weights, name, location);
            } else {
              loader.put(weights, name, location, torchType, device);
            }
          });
      if (folder.tiedHead()
          && layers.hasHead()
          && read.containsKey(Network.EMBEDDING + ".weight")) {
        script.run("tie_weight", weights, Network.HEAD + ".weight", Network.EMBEDDING + ".weight");
      }
      return weights;
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  /** The weights of every linear layer but the head, as bitsandbytes quantises them. */
  private static Set<String> linears(ModelFolder folder) {
    return folder.linearLayers().stream()
        .map(layer -> layer.name() + ".weight")
        .collect(Collectors.toSet());
  }

  private static void putTables(TorchScript script, ScriptValue weights, String device) {
    float[] values = Nf4.values();
    float[] table = Nf4.absmaxTable();
    script.run(
        "put_nf4_tables",
        weights,
        HostTensor.ofFloats(values, values.length),
        HostTensor.ofFloats(table, table.length),
        Nf4.piece(device),
        device);
  }

  /**
   * Quantises a weight. It has a mapping of its own, which is closed behind it: the pages of one
   * that other weights are views of would stay in memory with all that was read of them.
   */
  private void putQuantized(ScriptValue weights, String name, WeightLocation location) {
    TensorEntry entry = location.entry();
    if (entry.shape()[1] % 2 != 0) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "%s has %d columns; NF4 stores two numbers in a byte and takes even numbers of them, set model.quantization: None"
              .formatted(entry.name(), entry.shape()[1]));
    }
    try (ScriptValue file = newMap(location.file(), TensorType.U8)) {
      script.run(
          "put_nf4",
          weights,
          name,
          file,
          entry.offset(),
          TorchTypes.of(entry.type()),
          entry.type().bytes(),
          entry.shape());
    }
  }

  /** Puts some weights into a dictionary that there is. */
  static void putInto(
      ScriptValue weights,
      TorchScript script,
      Map<String, WeightLocation> locations,
      int torchType,
      String device) {
    try (ModelWeights loader = new ModelWeights(script)) {
      locations.forEach((name, location) -> loader.put(weights, name, location, torchType, device));
    }
  }

  private void put(
      ScriptValue weights, String name, WeightLocation location, int torchType, String device) {
    TensorEntry entry = location.entry();
    int size = entry.type().bytes();
    int fileType = TorchTypes.of(entry.type());
    if (entry.offset() % size == 0) {
      ScriptValue file = map(location.file(), entry.type());
      long first = entry.offset() / size;
      script.run("put_weight", weights, name, file, first, entry.shape(), torchType, device);
    } else {
      ScriptValue file = map(location.file(), TensorType.U8);
      script.run(
          "put_unaligned_weight",
          weights,
          name,
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
    return mappings.computeIfAbsent(new Mapping(file, type), mapping -> newMap(file, type));
  }

  private ScriptValue newMap(Path file, TensorType type) {
    try {
      long elements = Files.size(file) / type.bytes();
      return script.call(
          "map_file", file.toAbsolutePath().toString(), elements, TorchTypes.of(type));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Closes the handles; the weights keep the mappings that they are views of. */
  @Override
  public void close() {
    mappings.values().forEach(ScriptValue::close);
  }
}
