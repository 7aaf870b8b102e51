package dev.finetune.trainer.model;

import java.util.List;
import java.util.regex.Pattern;

/**
 * What a part of a name is called elsewhere.
 *
 * @param pattern the part
 * @param replacement what stands in its place, with $1 for the pattern's first group
 */
record Renaming(Pattern pattern, String replacement) {
  Renaming(String pattern, String replacement) {
    this(Pattern.compile(pattern), replacement);
  }

  /** The name after all of them, in their order. */
  static String all(List<Renaming> renamings, String name) {
    String renamed = name;
    for (Renaming each : renamings) {
      renamed = each.pattern.matcher(renamed).replaceAll(each.replacement);
    }
    return renamed;
  }
}
