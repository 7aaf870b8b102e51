package dev.finetune.trainer.picture;

/**
 * How a model wants its pictures cut.
 *
 * @param size pixels of a tile's side
 * @param fewest tiles of a picture, without the thumbnail
 * @param most tiles of a picture, without the thumbnail
 * @param thumbnail whether the whole picture follows as one more tile where there are several
 * @param tokensPerTile positions that a tile takes in the text
 */
public record Tiling(int size, int fewest, int most, boolean thumbnail, int tokensPerTile) {
  /** Tokens of the largest picture. */
  public int mostTokens() {
    return (most + (thumbnail && most > 1 ? 1 : 0)) * tokensPerTile;
  }

  /** The same with another bound on the tiles. */
  public Tiling withMost(int tiles) {
    return new Tiling(size, Math.min(fewest, tiles), tiles, thumbnail, tokensPerTile);
  }
}
