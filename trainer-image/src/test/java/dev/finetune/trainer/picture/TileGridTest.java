package dev.finetune.trainer.picture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Grids that a second implementation of the rule, in Python, chose. */
class TileGridTest {
  @ParameterizedTest
  @CsvSource({
    "448, 448, 12, 1, 1",
    "900, 900, 12, 2, 2",
    "1280, 720, 12, 4, 2",
    "720, 1280, 12, 2, 4",
    "3000, 1000, 12, 6, 2",
    "5000, 400, 12, 12, 1",
    "10, 4000, 12, 1, 12",
    "800, 400, 12, 2, 1",
    "1600, 800, 12, 4, 2",
    "1000, 1500, 12, 2, 3",
    "640, 480, 12, 4, 3",
    "640, 480, 6, 3, 2",
    "375, 500, 12, 3, 4",
    "1268, 634, 12, 4, 2",
    "1097, 1097, 12, 3, 3",
    "1, 1, 12, 1, 1",
    "2000, 2000, 1, 1, 1"
  })
  void theNearestShapeIsTaken(int width, int height, int most, int columns, int rows) {
    Tiling tiling = new Tiling(448, 1, most, true, 256);

    assertThat(TileGrid.of(width, height, tiling)).isEqualTo(new TileGrid(columns, rows));
  }

  @Test
  void ofEquallyNearOnesTheLargerIsTakenFromMoreThanHalfItsPixels() {
    Tiling tiling = new Tiling(448, 1, 12, true, 256);

    // 2 x 2 tiles have 802,816 pixels.
    assertThat(TileGrid.of(633, 633, tiling)).isEqualTo(new TileGrid(1, 1));
    assertThat(TileGrid.of(634, 634, tiling)).isEqualTo(new TileGrid(2, 2));
  }

  @Test
  void theFewestTilesAreABoundToo() {
    assertThat(TileGrid.of(448, 448, new Tiling(448, 3, 6, true, 256)))
        .isEqualTo(new TileGrid(2, 2));
    assertThat(TileGrid.of(900, 300, new Tiling(448, 4, 4, true, 256)))
        .isEqualTo(new TileGrid(4, 1));
  }

  @Test
  void aThumbnailIsOneMoreTileWhereThereAreSeveral() {
    Tiling with = new Tiling(448, 1, 12, true, 256);
    Tiling without = new Tiling(448, 1, 12, false, 256);

    assertThat(new TileGrid(3, 2).tiles(with)).isEqualTo(7);
    assertThat(new TileGrid(3, 2).tiles(without)).isEqualTo(6);
    assertThat(new TileGrid(1, 1).tiles(with)).isEqualTo(1);
  }
}
