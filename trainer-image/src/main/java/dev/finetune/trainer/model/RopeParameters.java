package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/**
 * Settings of the rotary position embedding, by the names that the scripts read. transformers 4
 * writes rope_theta and rope_scaling, transformers 5 rope_parameters.
 *
 * @param numbers rope_theta, and for the llama3 scaling its four numbers
 */
record RopeParameters(Map<String, Double> numbers) {
  private static final double DEFAULT_THETA = 10000;

  static RopeParameters of(ModelConfig config, JsonNode root) {
    boolean five = root.hasNonNull("rope_parameters");
    String key = five ? "rope_parameters" : "rope_scaling";
    JsonNode scaling = root.path(key);
    JsonNode theta = five ? scaling.path("rope_theta") : root.path("rope_theta");
    Map<String, Double> numbers = new TreeMap<>();
    numbers.put("rope_theta", theta.asDouble(DEFAULT_THETA));
    String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
    switch (type) {
      case "default" -> {}
      case "llama3" -> {
        for (String name :
            new String[] {
              "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"
            }) {
          if (!scaling.path(name).isNumber()) {
            throw config.invalid(key, "of type llama3 must have the number " + name);
          }
          numbers.put("rope_" + name, scaling.path(name).asDouble());
        }
      }
      default ->
          throw config.invalid(
              key,
              "is of type '" + type + "', which isn't supported; supported are default, llama3");
    }
    return new RopeParameters(numbers);
  }
}
