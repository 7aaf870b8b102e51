package dev.finetune.trainer.picture;

/** A picture of a row, cut into the tiles that the network looks at. */
public interface Picture {
  /** Number of tiles, with the thumbnail. */
  int tiles();

  /** Pixels of a row of the file's picture. */
  int width();

  /** Rows of pixels of the file's picture. */
  int height();

  /** SHA-256 of the file in hex. */
  String sha256();

  /**
   * The tiles, the thumbnail last: {@code tiles() x size x size x 3} bytes, red, green and blue of
   * each pixel from the left, rows from the top. Shared; not to be written to.
   *
   * @throws dev.finetune.trainer.TrainerException with DATA, naming the file, if it can't be read
   *     any more, or isn't what it was
   */
  byte[] pixels();

  /**
   * Has the tiles made in the background, if there is room; {@link #pixels} will want them soon.
   */
  void prefetch();
}
