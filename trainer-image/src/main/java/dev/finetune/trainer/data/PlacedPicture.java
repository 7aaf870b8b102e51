package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;

/**
 * A picture of a row and the tokens that stand for it.
 *
 * @param picture the picture
 * @param start its first token's place
 * @param end the place behind its last token
 */
record PlacedPicture(Picture picture, int start, int end) {
  /** Tokens that it takes. */
  int tokens() {
    return end - start;
  }

  /** The same in a part of the row that begins at a place. */
  PlacedPicture from(int place) {
    return new PlacedPicture(picture, start - place, end - place);
  }
}
