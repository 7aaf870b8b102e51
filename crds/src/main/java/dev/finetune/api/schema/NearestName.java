package dev.finetune.api.schema;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds the name that a misspelt one was probably meant to be. */
public final class NearestName {
  private NearestName() {}

  /**
   * The known name at the smallest edit distance, upper and lower case taken for the same, if that
   * is at most a third of the misspelt name's length.
   */
  public static Optional<String> of(String misspelt, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt((String name) -> distance(misspelt, name)))
        .filter(name -> distance(misspelt, name) <= Math.max(1, misspelt.length() / 3));
  }

  /** Levenshtein's distance, row by row. */
  private static int distance(String first, String second) {
    String a = first.toLowerCase(Locale.ROOT);
    String b = second.toLowerCase(Locale.ROOT);
    int[] above = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      above[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
      }
      above = row;
    }
    return above[b.length()];
  }
}
