package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;

/** Qwen2 and Qwen2.5: Llama's network with biases on q, k and v. */
final class Qwen2 implements Architecture {
  private final Llama llama = new Llama();

  @Override
  public String name() {
    return "Qwen2ForCausalLM";
  }

  @Override
  public String script() {
    return llama.script();
  }

  @Override
  public void check(ModelConfig config) {
    llama.check(config);
    checkFullAttention(config);
  }

  /** Refuses a sliding window, which Qwen's configurations turn on in some layers only. */
  static void checkFullAttention(ModelConfig config) {
    if (config.flag("use_sliding_window", false)) {
      throw config.invalid("use_sliding_window", "is true, which isn't supported");
    }
    for (JsonNode type : config.value("layer_types")) {
      if (!type.asText().equals("full_attention")) {
        throw config.invalid(
            "layer_types",
            "has " + type + ", which isn't supported; supported is \"full_attention\"");
      }
    }
  }

  @Override
  public Map<String, long[]> weights(ModelConfig config) {
    return Llama.weights(config, true, false);
  }

  @Override
  public List<LinearLayer> linearLayers(ModelConfig config) {
    return llama.linearLayers(config);
  }

  @Override
  public Map<String, Double> numbers(ModelConfig config) {
    return llama.numbers(config);
  }
}
