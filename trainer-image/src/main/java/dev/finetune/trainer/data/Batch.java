package dev.finetune.trainer.data;

import java.util.Arrays;
import java.util.List;

/**
 * A micro-batch: examples padded on the right to the longest of them. Attention is causal, so a
 * token never sees the padding behind it and no mask is needed; padding is known by position, never
 * by its id.
 *
 * @param examples the rows, B of them
 * @param length the longest row's tokens, T
 * @param inputIds (B, T) row by row, padding is the pad id
 * @param labels (B, T) row by row, padding is {@link TokenizedExample#IGNORED}
 */
public record Batch(List<TokenizedExample> examples, int length, long[] inputIds, long[] labels) {

  /**
   * Pads the examples to one length.
   *
   * @param examples at least one
   * @param padId id that fills the padding; its value has no influence on the result
   */
  public static Batch of(List<TokenizedExample> examples, int padId) {
    int length = examples.stream().mapToInt(TokenizedExample::length).max().orElseThrow();
    long[] inputIds = new long[examples.size() * length];
    long[] labels = new long[examples.size() * length];
    Arrays.fill(inputIds, padId);
    Arrays.fill(labels, TokenizedExample.IGNORED);
    for (int row = 0; row < examples.size(); row++) {
      TokenizedExample example = examples.get(row);
      for (int t = 0; t < example.length(); t++) {
        inputIds[row * length + t] = example.inputIds()[t];
        labels[row * length + t] = example.labels()[t];
      }
    }
    return new Batch(List.copyOf(examples), length, inputIds, labels);
  }

  /** Number of rows, B. */
  public int rows() {
    return examples.size();
  }

  /** Tokens without padding. */
  public int tokens() {
    return examples.stream().mapToInt(TokenizedExample::length).sum();
  }

  /** Tokens that the loss counts. */
  public int supervisedTokens() {
    return examples.stream().mapToInt(TokenizedExample::supervisedTokens).sum();
  }
}
