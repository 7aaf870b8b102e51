package dev.finetune.trainer.method;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** PEFT's rank_pattern and alpha_pattern: values by a regular expression of a path's end. */
final class LayerPatterns {
  private LayerPatterns() {}

  /** Whether a pattern names a layer: it matches its whole path, or the path behind a dot. */
  static boolean names(String pattern, String layer) {
    return Pattern.matches("(.*\\.)?(" + pattern + ")", layer);
  }

  /** The value of the first pattern that names the layer. */
  static <T> Optional<T> find(Map<String, T> patterns, String layer) {
    return patterns.entrySet().stream()
        .filter(entry -> names(entry.getKey(), layer))
        .map(Map.Entry::getValue)
        .findFirst();
  }
}
