package dev.finetune.trainer.model;

import java.util.OptionalLong;

/** Mistral 7B, Nemo and what shares their network: Llama's with a sliding window, or without. */
final class Mistral extends Llama {
  /** What transformers takes where the key is absent; null is no window. */
  private static final long DEFAULT_WINDOW = 4096;

  Mistral() {
    super("MistralForCausalLM");
  }

  @Override
  boolean hasBias(ModelConfig config, LinearLayer linear) {
    return false;
  }

  @Override
  SlidingWindow window(ModelConfig config) {
    return SlidingWindow.inAll(
        config, config.wholeOrNull("sliding_window", OptionalLong.of(DEFAULT_WINDOW)));
  }
}
