package dev.finetune.trainer.picture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Grids and tiles against InternVL2's preprocessing with Pillow 10.4. */
class TilesTest {
  private static final Tiling SMALL = new Tiling(56, 1, 6, true, 4);
  private static final Tiling LARGE = new Tiling(84, 1, 6, true, 9);

  @ParameterizedTest
  @CsvSource({
    "a.png, true",
    "b.jpg, true",
    "c.png, true",
    "d.png, true",
    "e_rgba.png, true",
    "f_gray.png, true",
    "g_palette.png, false",
    "h_la.png, false",
    "i_exif6.jpg, false"
  })
  void tilesAreEqualToTheByte(String name, boolean inBothSizes) throws PictureFault {
    assertThat(cut(name, SMALL)).isEqualTo(golden(name, "tiny-internvl-qwen2"));
    if (inBothSizes) {
      assertThat(cut(name, LARGE)).isEqualTo(golden(name, "tiny-internvl-internlm2"));
    }
  }

  private static byte[] cut(String name, Tiling tiling) throws PictureFault {
    RgbImage image = PictureFiles.decode(PictureFiles.GOLDEN.resolve("images").resolve(name));
    TileGrid grid = TileGrid.of(image.width(), image.height(), tiling);
    HostTensor golden =
        tensors(tiling.equals(SMALL) ? "tiny-internvl-qwen2" : "tiny-internvl-internlm2")
            .get(name + ".grid");
    assertThat(new long[] {grid.columns(), grid.rows()})
        .containsExactly(golden.longs().get(0), golden.longs().get(1));
    byte[] tiles = Tiles.cut(image, grid, tiling);
    assertThat(tiles.length).isEqualTo(Tiles.bytes(grid, tiling));
    return tiles;
  }

  private static byte[] golden(String name, String model) {
    ByteBuffer bytes = tensors(model).get(name + ".tiles").bytes().duplicate();
    byte[] tiles = new byte[bytes.remaining()];
    bytes.get(tiles);
    return tiles;
  }

  private static Map<String, HostTensor> tensors(String model) {
    return SafetensorsReader.read(
        PictureFiles.GOLDEN.resolve(model).resolve("preprocess.safetensors"));
  }
}
