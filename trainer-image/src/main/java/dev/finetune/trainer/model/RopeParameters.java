package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Settings of the rotary position embedding, by the names that the scripts read. transformers 4
 * writes rope_theta and rope_scaling, transformers 5 rope_parameters.
 *
 * @param numbers rope_theta, for a linear scaling rope_factor, and for the llama3 scaling its four
 *     numbers
 */
record RopeParameters(Map<String, Double> numbers) {
  private static final String FIVE = "rope_parameters";
  private static final String FOUR = "rope_scaling";
  private static final String THETA = "rope_theta";
  private static final String PARTIAL = "partial_rotary_factor";
  private static final List<String> LLAMA3 =
      List.of("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings");

  /**
   * Those of a model whose layers all have the same.
   *
   * @param defaultTheta the base where config.json has none
   */
  static RopeParameters of(ModelConfig config, double defaultTheta) {
    boolean five = config.has(FIVE);
    JsonNode theta = five ? config.value(FIVE).path(THETA) : config.value(THETA);
    String key = five ? FIVE : FOUR;
    return of(config, key, config.value(key), theta.asDouble(defaultTheta));
  }

  /** Those of the layers without a window, in a model whose other layers have another base. */
  static RopeParameters ofFullAttention(ModelConfig config, double defaultTheta) {
    if (!config.has(FIVE)) {
      return of(config, defaultTheta);
    }
    JsonNode own = config.value(FIVE).path("full_attention");
    return of(config, FIVE + ".full_attention", own, own.path(THETA).asDouble(defaultTheta));
  }

  /** The base of the layers with a window, in a model whose other layers have another. */
  static double localTheta(ModelConfig config, double defaultTheta) {
    if (!config.has(FIVE)) {
      return config.number("rope_local_base_freq", defaultTheta);
    }
    JsonNode own = config.value(FIVE).path("sliding_attention");
    String type = type(own);
    if (!type.equals("default")) {
      throw config.invalid(FIVE + ".sliding_attention", unsupported(type, "default"));
    }
    return own.path(THETA).asDouble(defaultTheta);
  }

  private static RopeParameters of(
      ModelConfig config, String key, JsonNode parameters, double theta) {
    checkWholeHeads(config, config.value(PARTIAL));
    checkWholeHeads(config, parameters.path(PARTIAL));
    Map<String, Double> numbers = new TreeMap<>();
    numbers.put(THETA, theta);
    String type = type(parameters);
    switch (type) {
      // It changes nothing up to max_position_embeddings, and longer sequences are refused.
      case "default", "dynamic" -> {}
      case "linear" -> put(numbers, config, key, parameters, type, List.of("factor"));
      case "llama3" -> put(numbers, config, key, parameters, type, LLAMA3);
      default -> throw config.invalid(key, unsupported(type, "default, dynamic, linear, llama3"));
    }
    return new RopeParameters(numbers);
  }

  private static void checkWholeHeads(ModelConfig config, JsonNode partial) {
    if (partial.isNumber() && partial.asDouble() != 1) {
      throw config.invalid(
          PARTIAL, "is " + partial + ", which isn't supported; whole heads are rotated, 1");
    }
  }

  private static String type(JsonNode parameters) {
    return parameters.path("rope_type").asText(parameters.path("type").asText("default"));
  }

  private static String unsupported(String type, String supported) {
    return "is of type '" + type + "', which isn't supported; supported are " + supported;
  }

  private static void put(
      Map<String, Double> numbers,
      ModelConfig config,
      String key,
      JsonNode parameters,
      String type,
      List<String> names) {
    for (String name : names) {
      if (!parameters.path(name).isNumber()) {
        throw config.invalid(key, "of type %s must have the number %s".formatted(type, name));
      }
      numbers.put("rope_" + name, parameters.path(name).asDouble());
    }
  }
}
