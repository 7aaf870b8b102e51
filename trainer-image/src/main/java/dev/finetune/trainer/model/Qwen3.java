package dev.finetune.trainer.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Qwen3's dense models: Llama's network with a norm on each head of q and k. */
final class Qwen3 implements Architecture {
  private final Llama llama = new Llama();

  @Override
  public String name() {
    return "Qwen3ForCausalLM";
  }

  @Override
  public String script() {
    return llama.script();
  }

  @Override
  public void check(ModelConfig config) {
    // Where it is absent transformers takes 128 and not what the hidden size divides into.
    config.whole("head_dim");
    llama.check(config);
    Qwen2.checkFullAttention(config);
  }

  @Override
  public Map<String, long[]> weights(ModelConfig config) {
    Map<String, long[]> weights = new LinkedHashMap<>(llama.weights(config));
    for (int i = 0; i < config.layers(); i++) {
      String attention = "model.layers." + i + ".self_attn.";
      weights.put(attention + "q_norm.weight", new long[] {config.headDim()});
      weights.put(attention + "k_norm.weight", new long[] {config.headDim()});
    }
    return weights;
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
