package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * A sliding window (arXiv:2004.05150) and the layers that have it.
 *
 * @param tokens that a token sees in such a layer, itself among them
 * @param layers their indices; none where every token sees all before it
 */
record SlidingWindow(long tokens, List<Integer> layers) {
  private static final String LAYER_TYPES = "layer_types";
  private static final String WITH = "sliding_attention";
  private static final String WITHOUT = "full_attention";

  static final SlidingWindow NONE = new SlidingWindow(0, List.of());

  /**
   * A window in some layers: those that {@code layer_types} lists, which transformers 4.53 and
   * later write.
   *
   * @param tokens its size; empty where the configuration turns it off
   * @param byDefault whether a layer has it where {@code layer_types} is absent
   * @throws dev.finetune.trainer.TrainerException if the list has another length, another type of
   *     attention, or a window where there is none
   */
  static SlidingWindow inSome(ModelConfig config, OptionalLong tokens, IntPredicate byDefault) {
    List<Integer> layers =
        config.has(LAYER_TYPES)
            ? listed(config)
            : IntStream.range(0, config.layers())
                .filter(i -> tokens.isPresent() && byDefault.test(i))
                .boxed()
                .toList();
    if (layers.isEmpty()) {
      return NONE;
    }
    return new SlidingWindow(
        tokens.orElseThrow(
            () ->
                config.invalid(
                    LAYER_TYPES,
                    "has \"%s\", but sliding_window is %s and use_sliding_window is %s"
                        .formatted(
                            WITH,
                            ModelConfig.shown(config.value("sliding_window")),
                            ModelConfig.shown(config.value("use_sliding_window"))))),
        layers);
  }

  private static List<Integer> listed(ModelConfig config) {
    JsonNode types = config.value(LAYER_TYPES);
    if (types.size() != config.layers()) {
      throw config.invalid(
          LAYER_TYPES,
          "has %d entries, but there are %d layers".formatted(types.size(), config.layers()));
    }
    List<Integer> layers = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      String type = types.path(i).asText();
      if (type.equals(WITH)) {
        layers.add(i);
      } else if (!type.equals(WITHOUT)) {
        throw config.invalid(
            LAYER_TYPES,
            "has %s, which isn't supported; supported are \"%s\" and \"%s\""
                .formatted(types.path(i), WITHOUT, WITH));
      }
    }
    return layers;
  }

  /**
   * A window in all layers, or in none: what {@code layer_types} says otherwise would be ignored by
   * transformers.
   *
   * @param tokens its size; empty where there is none
   * @throws dev.finetune.trainer.TrainerException if {@code layer_types} says otherwise
   */
  static SlidingWindow inAll(ModelConfig config, OptionalLong tokens) {
    String type = tokens.isPresent() ? WITH : WITHOUT;
    for (JsonNode layer : config.value(LAYER_TYPES)) {
      if (!layer.asText().equals(type)) {
        throw config.invalid(
            LAYER_TYPES,
            "has %s where all layers must be \"%s\", as sliding_window is %s"
                .formatted(layer, type, ModelConfig.shown(config.value("sliding_window"))));
      }
    }
    return tokens.isPresent()
        ? new SlidingWindow(
            tokens.getAsLong(), IntStream.range(0, config.layers()).boxed().toList())
        : NONE;
  }

  /** What the scripts read: sliding_window, and sliding.I for each layer I that has it. */
  Map<String, Double> numbers() {
    Map<String, Double> numbers = new TreeMap<>();
    if (!layers.isEmpty()) {
      numbers.put("sliding_window", (double) tokens);
      layers.forEach(i -> numbers.put("sliding." + i, 1.0));
    }
    return numbers;
  }
}
