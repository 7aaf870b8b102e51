package dev.finetune.trainer.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Llama 2, Llama 3 and what shares their network, such as SmolLM. */
final class Llama implements Architecture {
  @Override
  public String name() {
    return "LlamaForCausalLM";
  }

  @Override
  public String script() {
    return "llama.py";
  }

  @Override
  public void check(ModelConfig config) {
    if (!config.value("hidden_act").asText("silu").equals("silu")) {
      throw config.invalid(
          "hidden_act", "must be silu, but is " + config.value("hidden_act").asText());
    }
    if (config.heads() % config.keyValueHeads() != 0) {
      throw config.invalid("num_key_value_heads", "must divide num_attention_heads");
    }
    config.rope();
    if (config.headDim() % 2 != 0) {
      throw config.invalid("head_dim", "must be even, for its halves are rotated");
    }
  }

  @Override
  public Map<String, long[]> weights(ModelConfig config) {
    boolean bias = config.flag("attention_bias", false);
    return weights(config, bias, bias);
  }

  /** The weights, with biases on q, k and v, and on o, or without. */
  static Map<String, long[]> weights(ModelConfig config, boolean qkvBias, boolean oBias) {
    long hidden = config.hiddenSize();
    long[] embedding = {config.vocabularySize(), hidden};
    Map<String, long[]> weights = new LinkedHashMap<>();
    weights.put("model.embed_tokens.weight", embedding);
    weights.put("model.norm.weight", new long[] {hidden});
    for (int i = 0; i < config.layers(); i++) {
      weights.put("model.layers." + i + ".input_layernorm.weight", new long[] {hidden});
      weights.put("model.layers." + i + ".post_attention_layernorm.weight", new long[] {hidden});
    }
    boolean mlpBias = config.flag("mlp_bias", false);
    for (LinearLayer linear : linears(config)) {
      weights.put(linear.name() + ".weight", new long[] {linear.out(), linear.in()});
      boolean attention = linear.name().contains(".self_attn.");
      boolean output = linear.suffix().equals("o_proj");
      if (attention ? (output ? oBias : qkvBias) : mlpBias) {
        weights.put(linear.name() + ".bias", new long[] {linear.out()});
      }
    }
    if (!config.tiedHead()) {
      weights.put("lm_head.weight", embedding);
    }
    return weights;
  }

  @Override
  public List<LinearLayer> linearLayers(ModelConfig config) {
    return linears(config);
  }

  static List<LinearLayer> linears(ModelConfig config) {
    long hidden = config.hiddenSize();
    long inner = config.whole("intermediate_size");
    long queries = config.heads() * config.headDim();
    long keys = config.keyValueHeads() * config.headDim();
    List<LinearLayer> linears = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      String attention = "model.layers." + i + ".self_attn.";
      String mlp = "model.layers." + i + ".mlp.";
      linears.add(new LinearLayer(attention + "q_proj", i, hidden, queries));
      linears.add(new LinearLayer(attention + "k_proj", i, hidden, keys));
      linears.add(new LinearLayer(attention + "v_proj", i, hidden, keys));
      linears.add(new LinearLayer(attention + "o_proj", i, queries, hidden));
      linears.add(new LinearLayer(mlp + "gate_proj", i, hidden, inner));
      linears.add(new LinearLayer(mlp + "up_proj", i, hidden, inner));
      linears.add(new LinearLayer(mlp + "down_proj", i, inner, hidden));
    }
    return linears;
  }

  @Override
  public Map<String, Double> numbers(ModelConfig config) {
    Map<String, Double> numbers = new LinkedHashMap<>(config.rope().numbers());
    numbers.put("num_hidden_layers", (double) config.layers());
    numbers.put("num_key_value_heads", (double) config.keyValueHeads());
    numbers.put("head_dim", (double) config.headDim());
    numbers.put("rms_norm_eps", config.number("rms_norm_eps", 1e-6));
    return numbers;
  }
}
