package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.util.List;

/**
 * One conversation as tokens.
 *
 * @param origin where it came from, {@code file:line}, for messages
 * @param inputIds token ids, (T)
 * @param labels (T): the token's id where it is supervised, {@link #IGNORED} elsewhere; the loss
 *     compares the prediction at t with labels[t + 1]
 * @param pictures whose tokens the ids have, in their order
 */
public record TokenizedExample(
    String origin, int[] inputIds, int[] labels, List<Picture> pictures) {
  /** The label of a token that the loss doesn't count, PyTorch's ignore_index. */
  public static final int IGNORED = -100;

  /** Copies the list. */
  public TokenizedExample {
    pictures = List.copyOf(pictures);
  }

  /** One without pictures. */
  public TokenizedExample(String origin, int[] inputIds, int[] labels) {
    this(origin, inputIds, labels, List.of());
  }

  /** Number of tokens. */
  public int length() {
    return inputIds.length;
  }

  /** Number of tokens that the loss counts: the first one has no prediction. */
  public int supervisedTokens() {
    int count = 0;
    for (int t = 1; t < labels.length; t++) {
      if (labels[t] != IGNORED) {
        count++;
      }
    }
    return count;
  }
}
