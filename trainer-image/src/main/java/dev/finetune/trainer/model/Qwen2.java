package dev.finetune.trainer.model;

import java.util.OptionalLong;

/** Qwen2 and Qwen2.5: Llama's network with biases on q, k and v. */
final class Qwen2 extends Llama {
  /** What transformers takes where the keys are absent. */
  private static final long DEFAULT_WINDOW = 4096;

  private static final int DEFAULT_FULL_LAYERS = 28;

  Qwen2() {
    super("Qwen2ForCausalLM");
  }

  @Override
  boolean hasBias(ModelConfig config, LinearLayer linear) {
    return isAttention(linear) && !linear.suffix().equals("o_proj");
  }

  @Override
  SlidingWindow window(ModelConfig config) {
    return upperLayers(config);
  }

  /** Qwen's window, where it is turned on: in the layers from max_window_layers on. */
  static SlidingWindow upperLayers(ModelConfig config) {
    OptionalLong tokens =
        config.flag("use_sliding_window", false)
            ? config.wholeOrNull("sliding_window", OptionalLong.of(DEFAULT_WINDOW))
            : OptionalLong.empty();
    double below = config.number("max_window_layers", DEFAULT_FULL_LAYERS);
    return SlidingWindow.inSome(config, tokens, i -> i >= below);
  }
}
