package dev.finetune.trainer.score;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * ROUGE-L (Lin 2004) as rouge-score 0.1.2 computes it without a stemmer: the F1 of precision and
 * recall of the longest common subsequence of words, where words are runs of a to z and 0 to 9 in
 * small letters.
 */
final class RougeL {
  private static final Pattern BETWEEN_WORDS = Pattern.compile("[^a-z0-9]+");

  private RougeL() {}

  /** From 0, no word in common or no word at all, to 1, the same words. */
  static double of(String answer, String reference) {
    List<String> said = words(answer);
    List<String> expected = words(reference);
    int common = longestCommonSubsequence(said, expected);
    // 2 P R / (P + R) with P = common / said and R = common / expected.
    return common == 0 ? 0 : 2.0 * common / (said.size() + expected.size());
  }

  private static List<String> words(String text) {
    return Stream.of(BETWEEN_WORDS.split(text.toLowerCase(Locale.ROOT), -1))
        .filter(word -> !word.isEmpty())
        .toList();
  }

  private static int longestCommonSubsequence(List<String> a, List<String> b) {
    int[] above = new int[b.size() + 1];
    for (String word : a) {
      int[] row = new int[b.size() + 1];
      for (int j = 1; j <= b.size(); j++) {
        row[j] = word.equals(b.get(j - 1)) ? above[j - 1] + 1 : Math.max(above[j], row[j - 1]);
      }
      above = row;
    }
    return above[b.size()];
  }
}
