package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.picture.PictureFault;
import dev.finetune.trainer.picture.Tiling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The pictures of golden/internvl, whose sizes and tiles a model's data.json has. */
final class PictureFixture {
  static final Path GOLDEN = Path.of("src/test/resources/golden/internvl");

  private PictureFixture() {}

  static JsonNode json(String model) throws IOException {
    return new ObjectMapper().readTree(GOLDEN.resolve(model).resolve("data.json").toFile());
  }

  /**
   * A picture without pixels.
   *
   * @param sha256 anything that tells it from others
   */
  record Sized(int width, int height, int tiles, String sha256) implements Picture {
    @Override
    public byte[] pixels() {
      throw new UnsupportedOperationException("pixels of " + sha256);
    }

    @Override
    public void prefetch() {}
  }

  /** Opens those of a model by their files' names. */
  static RowPictures of(String model) throws IOException {
    JsonNode settings = json(model);
    JsonNode images = settings.get("images");
    JsonNode tiles = settings.get("settings");
    Tiling tiling =
        new Tiling(
            tiles.get("image_size").asInt(),
            1,
            tiles.get("max_tiles").asInt(),
            true,
            tiles.get("tokens_per_tile").asInt());
    return RowPictures.of(
        tiling,
        file -> {
          JsonNode image = images.get(file.getFileName().toString());
          if (!Files.isRegularFile(file)) {
            throw new PictureFault(file + " isn't there");
          } else if (image == null) {
            throw new PictureFault(file + " is no picture");
          }
          return new Sized(
              image.at("/size/0").asInt(),
              image.at("/size/1").asInt(),
              image.get("tiles").asInt(),
              file.getFileName().toString());
        });
  }
}
