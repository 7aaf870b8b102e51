package dev.finetune.trainer.model;

/** Llama 2, Llama 3 and what shares their network, such as SmolLM2. */
class Llama extends Decoder {
  Llama() {
    this("LlamaForCausalLM");
  }

  /** An architecture that differs from Llama's in what llama.py knows of. */
  Llama(String name) {
    super(name, "plain.py", "llama.py");
  }

  @Override
  boolean hasBias(ModelConfig config, LinearLayer linear) {
    return config.flag(isAttention(linear) ? "attention_bias" : "mlp_bias", false);
  }
}
