package dev.finetune.trainer.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** A golden model in a folder of its own, in which a test changes settings and weights. */
final class ChangedModel {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final ObjectNode config;
  private final Map<String, HostTensor> weights;

  ChangedModel(String golden, Path parent) throws IOException {
    GoldenModel model = new GoldenModel(golden);
    folder = Files.createTempDirectory(parent, golden);
    config = (ObjectNode) model.json("base/config.json");
    weights = new LinkedHashMap<>(SafetensorsReader.read(model.file("base/model.safetensors")));
    write();
  }

  ChangedModel architecture(String name) throws IOException {
    return config(json -> json.putArray("architectures").add(name));
  }

  ChangedModel config(Consumer<ObjectNode> change) throws IOException {
    change.accept(config);
    return write();
  }

  /** Gives a weight, of any shape, the same number everywhere. */
  ChangedModel fill(String name, float value, long... shape) throws IOException {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    Arrays.fill(values, value);
    return put(name, HostTensor.ofFloats(values, shape));
  }

  ChangedModel put(String name, HostTensor tensor) throws IOException {
    weights.put(name, tensor);
    return write();
  }

  HostTensor weight(String name) {
    return weights.get(name);
  }

  private ChangedModel write() throws IOException {
    Files.writeString(folder.resolve("config.json"), config.toString());
    try (FileChannel file =
        FileChannel.open(
            folder.resolve("model.safetensors"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      SafetensorsWriter.write(file, weights);
    }
    return this;
  }

  Path folder() {
    return folder;
  }

  ModelConfig config() {
    return ModelConfig.read(folder.resolve("config.json"));
  }

  /** (T, V) of one row of tokens. */
  float[] logits(long... ids) {
    try (CausalLm model = CausalLm.load(ModelFolder.open(folder), "cpu", Precision.AUTO);
        ScriptValue plain = model.untuned()) {
      HostTensor logits = model.logits(plain, HostTensor.ofLongs(ids, 1, ids.length));
      float[] values = new float[logits.floats().limit()];
      logits.floats().get(values);
      return values;
    }
  }

  /** JSON of a text with ' for quotes. */
  static ObjectNode json(String text) {
    try {
      return (ObjectNode) JSON.readTree(text.replace('\'', '"'));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  /** Takes settings over, given as {@link #json} takes them. */
  ChangedModel with(String settings) throws IOException {
    return config(json -> json.setAll(json(settings)));
  }
}
