package dev.finetune.trainer.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PicturesTest {
  private static final Tiling TILING = new Tiling(56, 1, 6, true, 4);
  private static final int TILE = 56 * 56 * 3;

  @TempDir Path folder;

  @Test
  void aPictureKnowsItsTilesAndItsContent() throws Exception {
    try (Pictures pictures = new Pictures(TILING, 1 << 20)) {
      Picture picture = pictures.open(golden("a.png"));

      assertThat(picture.tiles()).isEqualTo(3);
      assertThat(picture.sha256())
          .isEqualTo("8fdaa522e5922b98161dd910110c790cf379322f00e4254bc9ff02bdc87365a0");
      assertThat(picture.pixels()).isEqualTo(cut("a.png"));
    }
  }

  @Test
  void withoutABudgetThePixelsAreTheSame() throws Exception {
    try (Pictures pictures = new Pictures(TILING, 0)) {
      Picture picture = pictures.open(golden("e_rgba.png"));
      picture.prefetch();

      assertThat(picture.pixels()).isEqualTo(cut("e_rgba.png"));
      assertThat(pictures.heldBytes()).isZero();
    }
  }

  @Test
  void equalFilesHaveTheirPixelsInCommon() throws Exception {
    Path copy = Files.copy(golden("a.png"), folder.resolve("copy.png"));
    try (Pictures pictures = new Pictures(TILING, 1 << 20)) {
      byte[] one = pictures.open(golden("a.png")).pixels();
      byte[] other = pictures.open(copy).pixels();

      assertThat(other).isSameAs(one);
      assertThat(pictures.heldBytes()).isEqualTo(3 * TILE);
    }
  }

  @Test
  void noMoreIsHeldThanTheBudget() throws Exception {
    try (Pictures pictures = new Pictures(TILING, 7 * TILE)) {
      List<Picture> opened = new ArrayList<>();
      for (String name : List.of("a.png", "c.png", "d.png", "e_rgba.png", "f_gray.png")) {
        opened.add(pictures.open(golden(name)));
        assertThat(pictures.heldBytes()).isLessThanOrEqualTo(7 * TILE);
      }
      for (Picture picture : opened) {
        picture.prefetch();
        picture.pixels();
        assertThat(pictures.heldBytes()).isLessThanOrEqualTo(7 * TILE);
      }
      // The last two, of 5 and of 3 tiles, have no room together.
      assertThat(pictures.heldBytes()).isEqualTo(3 * TILE);
    }
  }

  @Test
  void pixelsOfAPrefetchAreTheOnesThatArePrefetched() throws Exception {
    Path file = Files.copy(golden("h_la.png"), folder.resolve("picture.png"));
    // 7 tiles are the budget: opening the other one leaves no room for these.
    try (Pictures pictures = new Pictures(TILING, 7 * TILE)) {
      pictures.open(golden("b.jpg"));
      Picture picture = pictures.open(file);
      assertThat(pictures.heldBytes()).isEqualTo(TILE);

      picture.prefetch();
      while (pictures.making() > 0) {
        Thread.onSpinWait();
      }
      Files.delete(file);

      assertThat(pictures.heldBytes()).isEqualTo(7 * TILE);
      assertThat(picture.pixels()).isEqualTo(cut("h_la.png"));
    }
  }

  @Test
  void manyThreadsAreServed() throws Exception {
    List<String> names = List.of("a.png", "b.jpg", "c.png", "d.png", "e_rgba.png", "h_la.png");
    try (Pictures pictures = new Pictures(TILING, 9 * TILE, new DecodingMemory(8 << 20))) {
      List<byte[]> all =
          IntStream.range(0, 60)
              .parallel()
              .mapToObj(
                  i -> {
                    Picture picture = open(pictures, golden(names.get(i % names.size())));
                    picture.prefetch();
                    return picture.pixels();
                  })
              .toList();
      for (int i = 0; i < all.size(); i++) {
        assertThat(all.get(i)).isEqualTo(cut(names.get(i % names.size())));
      }
      assertThat(pictures.heldBytes()).isLessThanOrEqualTo(9 * TILE);
    }
  }

  @Test
  void aFileThatChangedOrWentIsAFaultOfTheData() throws Exception {
    Path file = Files.copy(golden("a.png"), folder.resolve("picture.png"));
    try (Pictures pictures = new Pictures(TILING, 0)) {
      Picture picture = pictures.open(file);
      Files.write(file, Files.readAllBytes(golden("c.png")));
      picture.prefetch();
      assertEndsWithData(picture::pixels, file + " has changed since the data was checked");

      Files.delete(file);
      assertEndsWithData(picture::pixels, file + " can't be read any more");
    }
  }

  @Test
  void aPictureServesForAnEqualOneWhoseFileWent() throws Exception {
    Path copy = Files.copy(golden("a.png"), folder.resolve("copy.png"));
    try (Pictures pictures = new Pictures(TILING, 3 * TILE)) {
      pictures.open(golden("b.jpg"));
      Picture gone = pictures.open(copy);
      Picture there = pictures.open(golden("a.png"));
      Files.delete(copy);
      gone.prefetch();

      assertThat(there.pixels()).isEqualTo(cut("a.png"));
    }
  }

  @Test
  void faultsBeginWithTheFile() throws IOException {
    Path text = Files.writeString(folder.resolve("cat.png"), "a cat", StandardCharsets.UTF_8);
    Path missing = folder.resolve("dog.png");
    try (Pictures pictures = new Pictures(TILING, 0)) {
      assertThatThrownBy(() -> pictures.open(text))
          .isInstanceOf(PictureFault.class)
          .hasMessageStartingWith(text + " isn't a picture of a kind that is read");
      assertThatThrownBy(() -> pictures.open(missing))
          .isInstanceOf(PictureFault.class)
          .hasMessage(missing + " isn't there: check its name and the folder of the pictures");
      assertThatThrownBy(() -> pictures.open(folder))
          .isInstanceOf(PictureFault.class)
          .hasMessageStartingWith(folder + " can't be read");
    }
  }

  @Test
  void aPictureThatTheHeapCantHoldIsAFault() {
    DecodingMemory memory = new DecodingMemory(1 << 20);
    byte[] bmp = PictureFiles.bytes(PictureFiles.KINDS.resolve("rgb24.bmp"));

    assertThatThrownBy(
            () -> memory.decode(new CodedPicture(CodedPicture.Format.BMP, 1000, 1000, bmp)))
        .isInstanceOf(PictureFault.class)
        .hasMessage(
            "has 1000 x 1000 pixels, which take 10 MiB to be decoded, and Java's heap has 1 MiB:"
                + " scale it down, or give the trainer more memory");
  }

  private static void assertEndsWithData(ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.DATA))
        .hasMessageStartingWith(message);
  }

  private static Picture open(Pictures pictures, Path file) {
    try {
      return pictures.open(file);
    } catch (PictureFault e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] cut(String name) throws PictureFault {
    RgbImage image = PictureFiles.decode(golden(name));
    return Tiles.cut(image, TileGrid.of(image.width(), image.height(), TILING), TILING);
  }

  private static Path golden(String name) {
    return PictureFiles.GOLDEN.resolve("images").resolve(name);
  }
}
