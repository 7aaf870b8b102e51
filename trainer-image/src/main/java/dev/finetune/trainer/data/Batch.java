package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.util.Arrays;
import java.util.List;

/**
 * A micro-batch, padded or packed.
 *
 * <p>Padded: a row for each example, filled up on the right to the longest of them. Attention is
 * causal, so a token never sees the padding behind it and no mask is needed; padding is known by
 * position, never by its id.
 *
 * <p>Packed: one row in which the examples stand one behind the other, without padding. Each is a
 * sequence of its own: its positions start at 0, its tokens see no other's, and its first token is
 * no other's label. The loss is the padded batch's.
 *
 * @param examples one at least
 * @param length tokens of a row, T: the longest example's, or all of them together
 * @param segments tokens of each sequence of a packed row; none where the batch is padded
 * @param inputIds (B, T) row by row, padding is the pad id
 * @param labels (B, T) row by row, padding is {@link TokenizedExample#IGNORED}
 */
public record Batch(
    List<TokenizedExample> examples, int length, int[] segments, long[] inputIds, long[] labels) {

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
      put(examples.get(row), inputIds, labels, row * length);
    }
    return new Batch(List.copyOf(examples), length, new int[0], inputIds, labels);
  }

  /**
   * Puts the examples one behind the other into one row.
   *
   * @param examples at least one, each with at least one token
   */
  public static Batch packed(List<TokenizedExample> examples) {
    int[] segments = examples.stream().mapToInt(TokenizedExample::length).toArray();
    if (segments.length == 0 || Arrays.stream(segments).anyMatch(length -> length == 0)) {
      throw new IllegalArgumentException("nothing to pack: " + Arrays.toString(segments));
    }
    int length = Math.toIntExact(Arrays.stream(segments).asLongStream().sum());
    long[] inputIds = new long[length];
    long[] labels = new long[length];
    int offset = 0;
    for (TokenizedExample example : examples) {
      put(example, inputIds, labels, offset);
      // The token before it in the row is another example's.
      labels[offset] = TokenizedExample.IGNORED;
      offset += example.length();
    }
    return new Batch(List.copyOf(examples), length, segments, inputIds, labels);
  }

  private static void put(TokenizedExample example, long[] inputIds, long[] labels, int offset) {
    for (int t = 0; t < example.length(); t++) {
      inputIds[offset + t] = example.inputIds()[t];
      labels[offset + t] = example.labels()[t];
    }
  }

  /** The pictures whose tokens the rows have, in the order of the rows. */
  public List<Picture> pictures() {
    return examples.stream().flatMap(example -> example.pictures().stream()).toList();
  }

  /** Number of rows, B: one where they are packed. */
  public int rows() {
    return segments.length == 0 ? examples.size() : 1;
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
