package dev.finetune.trainer.data;

/**
 * The pictures of all rows that can be read, with those of rows that are left out.
 *
 * @param pictures how many there are
 * @param rows rows that have one
 * @param tiles tiles of all pictures
 * @param tokensPerTile tokens that a tile takes in its row
 * @param most most tokens that a picture can take
 * @param mostOfRow tokens that the pictures of one row take at most
 * @param maxLength training.maxLength, which they share with the text
 */
public record PictureCounts(
    int pictures, int rows, long tiles, int tokensPerTile, int most, int mostOfRow, int maxLength) {
  /** Of a data set without pictures. */
  public static final PictureCounts NONE = new PictureCounts(0, 0, 0, 0, 0, 0, 0);

  /** Whether there are pictures, and one of the most tiles would be longer than a row may be. */
  public boolean tooLarge() {
    return pictures > 0 && most > maxLength;
  }
}
