package dev.finetune.trainer.placement;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.trainer.model.ModelFolder;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A model folder of any size whose weights are a hole in a file: for what only reads headers. */
final class SparseModel {
  private final ObjectMapper json = new ObjectMapper();
  private final ObjectNode header = json.createObjectNode();
  private long offset;

  private SparseModel() {}

  /** Llama 3.1 8B's shape: 32 layers, hidden size 4096, MLP 14336, 128256 tokens. */
  static ModelFolder llama8b(Path folder) throws IOException {
    return new SparseModel().llama(folder, 32, 4096, 14336, 32, 8, 128256, false);
  }

  /** SmolLM2 135M's shape: 30 layers, hidden size 576, MLP 1536, 49152 tokens, a tied head. */
  static ModelFolder smol135m(Path folder) throws IOException {
    return new SparseModel().llama(folder, 30, 576, 1536, 9, 3, 49152, true);
  }

  private ModelFolder llama(
      Path folder,
      int layers,
      long hidden,
      long inner,
      long heads,
      long keyValueHeads,
      long vocabulary,
      boolean tied)
      throws IOException {
    ObjectNode config = json.createObjectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    config
        .put("num_hidden_layers", layers)
        .put("hidden_size", hidden)
        .put("intermediate_size", inner)
        .put("num_attention_heads", heads)
        .put("num_key_value_heads", keyValueHeads)
        .put("vocab_size", vocabulary)
        .put("max_position_embeddings", 8192)
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", 10000.0)
        .put("hidden_act", "silu")
        .put("tie_word_embeddings", tied);
    Files.writeString(folder.resolve("config.json"), config.toString());
    long keys = hidden / heads * keyValueHeads;
    put("model.embed_tokens", vocabulary, hidden);
    put("model.norm", hidden);
    for (int i = 0; i < layers; i++) {
      String layer = "model.layers." + i + ".";
      put(layer + "input_layernorm", hidden);
      put(layer + "post_attention_layernorm", hidden);
      put(layer + "self_attn.q_proj", hidden, hidden);
      put(layer + "self_attn.k_proj", keys, hidden);
      put(layer + "self_attn.v_proj", keys, hidden);
      put(layer + "self_attn.o_proj", hidden, hidden);
      put(layer + "mlp.gate_proj", inner, hidden);
      put(layer + "mlp.up_proj", inner, hidden);
      put(layer + "mlp.down_proj", hidden, inner);
    }
    if (!tied) {
      put("lm_head", vocabulary, hidden);
    }
    byte[] bytes = header.toString().getBytes(StandardCharsets.UTF_8);
    try (var file = new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length).array());
      file.write(bytes);
      file.setLength(8 + bytes.length + offset);
    }
    return ModelFolder.open(folder);
  }

  private void put(String name, long... shape) {
    ObjectNode tensor = header.putObject(name + ".weight").put("dtype", "BF16");
    long elements = 1;
    var sizes = tensor.putArray("shape");
    for (long size : shape) {
      sizes.add(size);
      elements *= size;
    }
    tensor.putArray("data_offsets").add(offset).add(offset + 2 * elements);
    offset += 2 * elements;
  }
}
