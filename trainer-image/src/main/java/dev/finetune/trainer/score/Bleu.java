package dev.finetune.trainer.score;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Corpus BLEU (Papineni et al. 2002) with one reference as sacrebleu 2 computes it by default: the
 * tokens of mteval-v13a, case kept, exponential smoothing of orders without a match. All that it
 * needs of a corpus are sums, which are added over answers and over ranks.
 */
final class Bleu {
  private static final int ORDERS = 4;

  /** How many sums it keeps: matches and n-grams of each order, tokens said and expected. */
  static final int SUMS = 2 * ORDERS + 2;

  private static final int SAID = 2 * ORDERS;
  private static final int EXPECTED = SAID + 1;

  private static final Pattern SYMBOLS =
      Pattern.compile("([\\{-\\~\\[-\\` -\\&\\(-\\+\\:-\\@\\/])");
  private static final Pattern POINT_BEHIND_NO_DIGIT = Pattern.compile("([^0-9])([\\.,])");
  private static final Pattern POINT_BEFORE_NO_DIGIT = Pattern.compile("([\\.,])([^0-9])");
  private static final Pattern DASH_BEHIND_DIGIT = Pattern.compile("([0-9])(-)");
  private static final Pattern BLANKS = Pattern.compile("(?U)\\s+");

  private Bleu() {}

  /** Adds an answer's sums to those of others. */
  static void add(double[] sums, int offset, String answer, String reference) {
    List<String> said = tokens(answer);
    List<String> expected = tokens(reference);
    for (int order = 1; order <= ORDERS; order++) {
      Map<List<String>, Integer> known = ngrams(expected, order);
      int matches =
          ngrams(said, order).entrySet().stream()
              .mapToInt(each -> Math.min(each.getValue(), known.getOrDefault(each.getKey(), 0)))
              .sum();
      sums[offset + order - 1] += matches;
      sums[offset + ORDERS + order - 1] += Math.max(0, said.size() - order + 1);
    }
    sums[offset + SAID] += said.size();
    sums[offset + EXPECTED] += expected.size();
  }

  /** The score of a corpus, 0 to 1. */
  static double of(double[] sums, int offset) {
    double logs = 0;
    double smoothing = 1;
    boolean any = false;
    for (int order = 0; order < ORDERS; order++) {
      double matches = sums[offset + order];
      double ngrams = sums[offset + ORDERS + order];
      if (ngrams == 0) {
        return 0;
      }
      any = any || matches > 0;
      if (matches == 0) {
        smoothing *= 2;
        matches = 1 / smoothing;
      }
      logs += Math.log(matches / ngrams);
    }
    if (!any) {
      return 0;
    }
    double said = sums[offset + SAID];
    double expected = sums[offset + EXPECTED];
    double brevity = said < expected ? Math.exp(1 - expected / said) : 1;
    return brevity * Math.exp(logs / ORDERS);
  }

  private static Map<List<String>, Integer> ngrams(List<String> tokens, int order) {
    Map<List<String>, Integer> counts = new HashMap<>();
    for (int i = 0; i + order <= tokens.size(); i++) {
      counts.merge(new ArrayList<>(tokens.subList(i, i + order)), 1, Integer::sum);
    }
    return counts;
  }

  /** As sacrebleu's Tokenizer13a. */
  static List<String> tokens(String text) {
    String line =
        text.stripTrailing()
            .replace("<skipped>", "")
            .replace("-\n", "")
            .replace("\n", " ")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
    line = SYMBOLS.matcher(" " + line + " ").replaceAll(" $1 ");
    line = POINT_BEHIND_NO_DIGIT.matcher(line).replaceAll("$1 $2 ");
    line = POINT_BEFORE_NO_DIGIT.matcher(line).replaceAll(" $1 $2");
    line = DASH_BEHIND_DIGIT.matcher(line).replaceAll("$1 $2 ");
    return Stream.of(BLANKS.split(line, -1)).filter(token -> !token.isEmpty()).toList();
  }
}
