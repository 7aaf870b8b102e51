package dev.finetune.trainer.data;

import java.util.EnumMap;
import java.util.Map;

/** What became of the rows, in numbers. */
final class RowCounts {
  private final Map<RowTokenizer.Fate, Integer> fates = new EnumMap<>(RowTokenizer.Fate.class);
  private int ending;
  private int startingTwice;
  private int longest;

  void add(RowTokenizer.Outcome outcome) {
    fates.merge(outcome.fate(), 1, Integer::sum);
    ending += outcome.ends() ? 1 : 0;
    startingTwice += outcome.startsTwice() ? 1 : 0;
    longest = Math.max(longest, outcome.length());
  }

  int of(RowTokenizer.Fate fate) {
    return fates.getOrDefault(fate, 0);
  }

  /** Rows that could be read. */
  int rows() {
    return fates.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Rows that were cut. */
  int cut() {
    return of(RowTokenizer.Fate.CUT) + of(RowTokenizer.Fate.CUT_WITHOUT_END);
  }

  /** Rows of which a token that ends a generation is learned. */
  int ending() {
    return ending;
  }

  /** Rows that begin with bos_token twice. */
  int startingTwice() {
    return startingTwice;
  }

  /** Tokens of the longest row before any cut. */
  int longest() {
    return longest;
  }
}
