package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * SmolLM3: Llama's network with layers that don't rotate q and k (NoPE, arXiv:2501.18795). Which
 * ones, and which have a sliding window, is as in transformers' SmolLM3Config.
 */
final class SmolLm3 extends Llama {
  private static final String LAYERS = "no_rope_layers";
  private static final long DEFAULT_INTERVAL = 4;

  SmolLm3() {
    super("SmolLM3ForCausalLM");
  }

  @Override
  double defaultRopeTheta() {
    return 2_000_000;
  }

  @Override
  boolean tiedByDefault() {
    return true;
  }

  /**
   * In spite of its name, no_rope_layers has 1 for a layer that rotates and 0 for one that doesn't.
   */
  private static boolean rotates(ModelConfig config, int layer) {
    if (!config.has(LAYERS)) {
      return (layer + 1) % config.whole("no_rope_layer_interval", DEFAULT_INTERVAL) != 0;
    }
    JsonNode rotated = config.value(LAYERS).path(layer);
    if (!rotated.isIntegralNumber() || rotated.asInt() >> 1 != 0) {
      throw config.invalid(LAYERS, "must have a 0 or a 1 for each layer");
    }
    return rotated.asInt() == 1;
  }

  @Override
  SlidingWindow window(ModelConfig config) {
    OptionalLong tokens =
        config.flag("use_sliding_window", false)
            ? config.wholeOrNull("sliding_window", OptionalLong.empty())
            : OptionalLong.empty();
    return SlidingWindow.inSome(config, tokens, i -> !rotates(config, i));
  }

  @Override
  public Map<String, Double> numbers(ModelConfig config) {
    Map<String, Double> numbers = new LinkedHashMap<>(super.numbers(config));
    for (int i = 0; i < config.layers(); i++) {
      if (!rotates(config, i)) {
        numbers.put("rotation." + i, -1.0);
      }
    }
    return numbers;
  }
}
