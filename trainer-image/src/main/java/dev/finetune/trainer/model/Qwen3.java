package dev.finetune.trainer.model;

/** Qwen3's dense models: Llama's network with a norm on each head of q and k. */
final class Qwen3 extends Llama {
  Qwen3() {
    super("Qwen3ForCausalLM");
  }

  @Override
  public void check(ModelConfig config) {
    // Where it is absent transformers takes 128 and not what the hidden size divides into.
    config.whole("head_dim");
    super.check(config);
  }

  @Override
  boolean hasHeadNorms() {
    return true;
  }

  @Override
  boolean hasBias(ModelConfig config, LinearLayer linear) {
    return isAttention(linear) && super.hasBias(config, linear);
  }

  @Override
  SlidingWindow window(ModelConfig config) {
    return Qwen2.upperLayers(config);
  }
}
