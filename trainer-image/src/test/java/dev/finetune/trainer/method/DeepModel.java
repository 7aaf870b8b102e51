package dev.finetune.trainer.method;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/** A golden model with its two layers repeated, to be laid over more devices than two. */
final class DeepModel {
  private static final String LAYERS = "model.layers.";

  private DeepModel() {}

  /** Writes the model with twice as many layers. */
  static ModelFolder twiceAsDeep(GoldenModel golden, Path folder) throws IOException {
    ObjectNode config = (ObjectNode) golden.json("base/config.json");
    int layers = config.path("num_hidden_layers").asInt();
    config.put("num_hidden_layers", 2 * layers);
    if (config.path("layer_types") instanceof ArrayNode types) {
      types.addAll(types.deepCopy());
    }
    Files.writeString(folder.resolve("config.json"), new ObjectMapper().writeValueAsString(config));
    Map<String, HostTensor> weights = new LinkedHashMap<>();
    SafetensorsReader.read(golden.file("base/model.safetensors"))
        .forEach(
            (name, tensor) -> {
              weights.put(name, tensor);
              if (name.startsWith(LAYERS)) {
                String behind = name.substring(LAYERS.length());
                int dot = behind.indexOf('.');
                int layer = Integer.parseInt(behind.substring(0, dot)) + layers;
                weights.put(LAYERS + layer + behind.substring(dot), tensor);
              }
            });
    try (FileChannel file =
        FileChannel.open(
            folder.resolve("model.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE)) {
      SafetensorsWriter.write(file, weights);
    }
    return ModelFolder.open(folder);
  }
}
