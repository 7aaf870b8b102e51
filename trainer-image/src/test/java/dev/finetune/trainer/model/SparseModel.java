package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A model folder of any size whose weights are a hole in a file: for what only counts. */
public final class SparseModel {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SparseModel() {}

  /** Llama 3.1 8B's shape: 32 layers, hidden size 4096, MLP 14336, 128256 tokens. */
  public static ModelFolder llama8b(Path folder) throws IOException {
    return of(
        folder,
        "LlamaForCausalLM",
        """
        {"num_hidden_layers": 32, "hidden_size": 4096, "intermediate_size": 14336,
         "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256}
        """);
  }

  /** SmolLM2 135M's shape: 30 layers, hidden size 576, MLP 1536, 49152 tokens, a tied head. */
  public static ModelFolder smol135m(Path folder) throws IOException {
    return of(
        folder,
        "LlamaForCausalLM",
        """
        {"num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536,
         "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152,
         "tie_word_embeddings": true}
        """);
  }

  /** About SmolLM2's shape in ten layers, with heads of 64 and a tied head. */
  public static ModelFolder medium(Path folder, String architecture) throws IOException {
    return of(
        folder,
        architecture,
        """
        {"num_hidden_layers": 10, "hidden_size": 576, "intermediate_size": 1536, "head_dim": 64,
         "num_attention_heads": 9, "num_key_value_heads": 9, "vocab_size": 8192,
         "tie_word_embeddings": true}
        """);
  }

  private static ModelFolder of(Path folder, String architecture, String settings)
      throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(settings);
    config.putArray("architectures").add(architecture);
    config.put("max_position_embeddings", 8192).put("rms_norm_eps", 1e-5);
    Files.writeString(folder.resolve("config.json"), config.toString());
    ModelConfig read = ModelConfig.read(folder.resolve("config.json"));
    ObjectNode header = JSON.createObjectNode();
    long end = 0;
    for (var weight : Network.of(read).weights().entrySet()) {
      ObjectNode tensor = header.putObject(weight.getKey()).put("dtype", "BF16");
      long bytes = 2;
      var shape = tensor.putArray("shape");
      for (long size : weight.getValue()) {
        shape.add(size);
        bytes *= size;
      }
      tensor.putArray("data_offsets").add(end).add(end + bytes);
      end += bytes;
    }
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    try (var file = new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
      file.write(text);
      file.setLength(8 + text.length + end);
    }
    return ModelFolder.open(folder);
  }
}
