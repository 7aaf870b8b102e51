package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Mistral 7B, Nemo and what shares their network: Llama's with a sliding window, or without. */
final class Mistral implements Architecture {
  private static final String WINDOW = "sliding_window";

  /** What transformers takes where the key is absent; null is no window. */
  private static final long DEFAULT_WINDOW = 4096;

  private final Llama llama = new Llama();

  @Override
  public String name() {
    return "MistralForCausalLM";
  }

  @Override
  public String script() {
    return llama.script();
  }

  @Override
  public void check(ModelConfig config) {
    llama.check(config);
    String type = window(config).isPresent() ? "sliding_attention" : "full_attention";
    for (JsonNode layer : config.value("layer_types")) {
      if (!layer.asText().equals(type)) {
        throw config.invalid(
            "layer_types",
            "has %s where all layers must be \"%s\", as %s is %s"
                .formatted(layer, type, WINDOW, ModelConfig.shown(config.value(WINDOW))));
      }
    }
  }

  private static OptionalLong window(ModelConfig config) {
    if (config.value(WINDOW).isNull()) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(config.has(WINDOW) ? config.whole(WINDOW) : DEFAULT_WINDOW);
  }

  @Override
  public Map<String, long[]> weights(ModelConfig config) {
    return Llama.weights(config, false, false);
  }

  @Override
  public List<LinearLayer> linearLayers(ModelConfig config) {
    return llama.linearLayers(config);
  }

  @Override
  public Map<String, Double> numbers(ModelConfig config) {
    Map<String, Double> numbers = new LinkedHashMap<>(llama.numbers(config));
    window(config).ifPresent(tokens -> numbers.put(WINDOW, (double) tokens));
    return numbers;
  }
}
