package dev.finetune.trainer.picture;

import static dev.finetune.trainer.picture.RgbImage.CHANNELS;

/** Cuts a picture into tiles. */
final class Tiles {
  private Tiles() {}

  /** Bytes that the tiles of a grid take. */
  static long bytes(TileGrid grid, Tiling tiling) {
    return (long) grid.tiles(tiling) * tileBytes(tiling);
  }

  /**
   * The tiles of the resized picture row by row, the thumbnail last, as {@link Picture#pixels} has
   * them.
   */
  static byte[] cut(RgbImage image, TileGrid grid, Tiling tiling) {
    int size = tiling.size();
    RgbImage whole = Bicubic.resize(image, grid.columns() * size, grid.rows() * size);
    byte[] tiles = new byte[Math.toIntExact(bytes(grid, tiling))];
    int target = 0;
    int length = size * CHANNELS;
    for (int row = 0; row < grid.rows(); row++) {
      for (int column = 0; column < grid.columns(); column++) {
        for (int y = row * size; y < (row + 1) * size; y++) {
          int source = (y * grid.columns() + column) * length;
          System.arraycopy(whole.rgb(), source, tiles, target, length);
          target += length;
        }
      }
    }
    if (target < tiles.length) {
      byte[] thumbnail = Bicubic.resize(image, size, size).rgb();
      System.arraycopy(thumbnail, 0, tiles, target, thumbnail.length);
    }
    return tiles;
  }

  private static int tileBytes(Tiling tiling) {
    return Math.multiplyExact(tiling.size(), tiling.size() * CHANNELS);
  }
}
