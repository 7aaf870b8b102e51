package dev.finetune.trainer.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Gemma 3's text model (arXiv:2503.19786): Gemma 2's network with a norm on each head of q and k in
 * the place of the soft caps, and a sliding window in all layers but every sixth. The layers with
 * the window have a rotary embedding with a base of their own.
 */
final class Gemma3 extends Gemma2 {
  /** What transformers takes where a key is absent. */
  private static final long DEFAULT_PATTERN = 6;

  private static final double DEFAULT_LOCAL_BASE = 10_000;

  Gemma3() {
    super("Gemma3ForCausalLM");
  }

  @Override
  boolean hasHeadNorms() {
    return true;
  }

  @Override
  double defaultRopeTheta() {
    return 1_000_000;
  }

  @Override
  OptionalDouble scoreCap(ModelConfig config) {
    return config.positiveOrNull("attn_logit_softcapping", OptionalDouble.empty());
  }

  @Override
  OptionalDouble logitCap(ModelConfig config) {
    return config.positiveOrNull("final_logit_softcapping", OptionalDouble.empty());
  }

  @Override
  boolean slides(ModelConfig config, int layer) {
    String key =
        config.has("sliding_window_pattern") ? "sliding_window_pattern" : "_sliding_window_pattern";
    long pattern = config.whole(key, DEFAULT_PATTERN);
    return (layer + 1) % pattern != 0;
  }

  @Override
  RopeParameters rope(ModelConfig config) {
    return RopeParameters.ofFullAttention(config, defaultRopeTheta());
  }

  @Override
  public Map<String, Double> numbers(ModelConfig config) {
    Map<String, Double> numbers = new LinkedHashMap<>(super.numbers(config));
    numbers.put("local_rope_theta", RopeParameters.localTheta(config, DEFAULT_LOCAL_BASE));
    window(config).layers().forEach(i -> numbers.put("rotation." + i, 1.0));
    return numbers;
  }
}
