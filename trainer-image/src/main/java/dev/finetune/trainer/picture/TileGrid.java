package dev.finetune.trainer.picture;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How many tiles a picture is cut into, next to and below each other.
 *
 * @param columns tiles of a row
 * @param rows rows of tiles
 */
record TileGrid(int columns, int rows) {
  /**
   * The grid whose shape is nearest to the picture's, as InternVL2's find_closest_aspect_ratio
   * chooses it: grids are looked at in the order of their tiles and of their columns, and of two
   * that are equally near the later one, with more tiles, is taken where the picture has more than
   * half of its pixels.
   *
   * @param width of the picture in pixels
   * @param height of the picture in pixels
   */
  static TileGrid of(int width, int height, Tiling tiling) {
    double shape = (double) width / height;
    double pixels = (double) width * height;
    TileGrid best = new TileGrid(1, 1);
    double nearest = Double.POSITIVE_INFINITY;
    for (TileGrid grid : all(tiling)) {
      double distance = Math.abs(shape - (double) grid.columns / grid.rows);
      if (distance < nearest) {
        nearest = distance;
        best = grid;
      } else if (distance == nearest
          && pixels > 0.5 * tiling.size() * tiling.size() * grid.count()) {
        best = grid;
      }
    }
    return best;
  }

  private static List<TileGrid> all(Tiling tiling) {
    return IntStream.rangeClosed(1, tiling.most())
        .boxed()
        .flatMap(
            columns ->
                IntStream.rangeClosed(1, tiling.most() / columns)
                    .mapToObj(rows -> new TileGrid(columns, rows)))
        .filter(grid -> grid.count() >= tiling.fewest())
        .sorted(Comparator.comparingInt(TileGrid::count))
        .toList();
  }

  /** Tiles without the thumbnail. */
  int count() {
    return columns * rows;
  }

  /** Tiles with the thumbnail, where there is one. */
  int tiles(Tiling tiling) {
    return count() + (tiling.thumbnail() && count() > 1 ? 1 : 0);
  }
}
