package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.util.Arrays;
import java.util.List;

/**
 * Tokens and which of them are learned.
 *
 * @param ids (T)
 * @param labels (T): the token's id where it is learned, else {@link TokenizedExample#IGNORED}
 * @param placed the pictures that some of the tokens stand for, in their order
 */
record LabelledTokens(int[] ids, int[] labels, List<PlacedPicture> placed) {
  /** Tokens of a text. */
  LabelledTokens(int[] ids, int[] labels) {
    this(ids, labels, List.of());
  }

  /** Tokens of which nothing is learned yet. */
  static LabelledTokens ignored(int[] ids) {
    int[] labels = new int[ids.length];
    Arrays.fill(labels, TokenizedExample.IGNORED);
    return new LabelledTokens(ids, labels);
  }

  /** Has the tokens from start to before end learned, or not. */
  void learn(int start, int end, boolean learned) {
    for (int t = start; t < end; t++) {
      labels[t] = learned ? ids[t] : TokenizedExample.IGNORED;
    }
  }

  int length() {
    return ids.length;
  }

  /** The pictures. */
  List<Picture> pictures() {
    return placed.stream().map(PlacedPicture::picture).toList();
  }

  /** Whether all pictures lie from start to before end. */
  boolean hasPicturesWithin(int start, int end) {
    return placed.stream().allMatch(each -> start <= each.start() && each.end() <= end);
  }

  /** The tokens from start to before end, within which all pictures lie. */
  LabelledTokens part(int start, int end) {
    return new LabelledTokens(
        Arrays.copyOfRange(ids, start, end),
        Arrays.copyOfRange(labels, start, end),
        placed.stream().map(each -> each.from(start)).toList());
  }

  /** The place of the last token that is learned; -1 where none is. */
  int lastLearned() {
    int t = labels.length - 1;
    while (t >= 0 && labels[t] == TokenizedExample.IGNORED) {
      t--;
    }
    return t;
  }

  /** Number of tokens that the loss counts: the first one has no prediction. */
  int learned() {
    int count = 0;
    for (int t = 1; t < labels.length; t++) {
      if (labels[t] != TokenizedExample.IGNORED) {
        count++;
      }
    }
    return count;
  }
}
