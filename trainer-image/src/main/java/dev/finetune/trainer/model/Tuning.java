package dev.finetune.trainer.model;

import java.util.HashMap;
import java.util.Map;

/**
 * What a script reads of a tuning method beside its tensors.
 *
 * @param scales factor of a linear layer's B A, by the layer's name; that of the empty name is of
 *     those that aren't named
 */
public record Tuning(Map<String, Double> scales) {
  /** Of a model without a method. */
  public static final Tuning NONE = new Tuning(Map.of());

  /** The scale of every linear layer that isn't named. */
  private static final String OTHERS = "";

  /** Completes the scales. */
  public Tuning {
    if (!scales.containsKey(OTHERS)) {
      Map<String, Double> complete = new HashMap<>(scales);
      complete.put(OTHERS, 1.0);
      scales = complete;
    }
    scales = Map.copyOf(scales);
  }
}
