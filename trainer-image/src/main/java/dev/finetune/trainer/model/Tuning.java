package dev.finetune.trainer.model;

import java.util.HashMap;
import java.util.Map;

/**
 * What a script reads of a tuning method beside its tensors.
 *
 * @param scales factor of a linear layer's B A, by the layer's name; that of the empty name is of
 *     those that aren't named
 * @param activation of a bottleneck adapter: gelu, relu or silu
 * @param prefix positions of a prefix
 */
public record Tuning(Map<String, Double> scales, String activation, int prefix) {
  private static final String OTHERS = "";
  private static final String GELU = "gelu";

  /** Of a model without a method, or with one that needs nothing. */
  public static final Tuning NONE = new Tuning(Map.of(), GELU, 0);

  /** Completes the scales. */
  public Tuning {
    Map<String, Double> complete = new HashMap<>(scales);
    complete.putIfAbsent(OTHERS, 1.0);
    scales = Map.copyOf(complete);
  }

  /** Of LoRA. */
  public static Tuning ofScales(Map<String, Double> scales) {
    return new Tuning(scales, GELU, 0);
  }

  /** Of a bottleneck adapter. */
  public static Tuning ofActivation(String activation) {
    return new Tuning(Map.of(), activation, 0);
  }

  /** Of a prefix of so many positions. */
  public static Tuning ofPrefix(int positions) {
    return new Tuning(Map.of(), GELU, positions);
  }
}
