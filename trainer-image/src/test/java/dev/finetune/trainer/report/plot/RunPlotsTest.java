package dev.finetune.trainer.report.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.trainer.report.plot.LinePlot.Axis;
import dev.finetune.trainer.report.plot.LinePlot.Sample;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunPlotsTest {
  @TempDir Path folder;

  @Test
  void aPngHoldsThePicturesPixels() throws IOException {
    Raster picture = new Raster(40, 20);
    picture.fill(3, 4, 5, 6, 0x123456);
    picture.line(List.of(new Raster.Point(20, 5), new Raster.Point(30, 15)), 2, 0xC2410C);

    BufferedImage read = ImageIO.read(new ByteArrayInputStream(Png.of(picture)));

    assertThat(read.getWidth()).isEqualTo(40);
    assertThat(read.getHeight()).isEqualTo(20);
    for (int y = 0; y < 20; y++) {
      for (int x = 0; x < 40; x++) {
        assertThat(read.getRGB(x, y) & 0xFFFFFF).isEqualTo(picture.color(x, y));
      }
    }
    assertThat(picture.color(3, 4)).isEqualTo(0x123456);
    assertThat(picture.color(24, 9)).isEqualTo(0xC2410C);
  }

  @Test
  void aLinesEdgeIsSmoothAndItsEndsAreInPlace() {
    Raster picture = new Raster(20, 20);
    picture.line(List.of(new Raster.Point(5, 10), new Raster.Point(15, 10)), 1, 0x000000);

    // The line lies between two rows of pixels, half in each.
    assertThat(picture.color(10, 9)).isEqualTo(0x808080);
    assertThat(picture.color(10, 10)).isEqualTo(0x808080);
    assertThat(picture.color(10, 11)).isEqualTo(0xFFFFFF);
    assertThat(picture.color(2, 10)).isEqualTo(0xFFFFFF);
  }

  @Test
  void textIsLegible() {
    Raster picture = new Raster(12, 8);
    picture.text(0, 0, "1l", 1, 0);
    StringBuilder shown = new StringBuilder();
    for (int y = 0; y < 7; y++) {
      for (int x = 0; x < 10; x++) {
        shown.append(picture.color(x, y) == 0 ? '#' : '.');
      }
      shown.append('\n');
    }

    assertThat(shown.toString())
        .isEqualTo(
            """
            ..#....##.
            .##.....#.
            ..#.....#.
            ..#.....#.
            ..#.....#.
            ..#.....#.
            .###...###
            """);
  }

  @Test
  void theSmoothedLineIsTensorBoards() {
    List<Sample> smooth =
        LinePlot.smoothed(List.of(new Sample(1, 2), new Sample(2, 1), new Sample(3, 4)));

    assertThat(smooth.get(0).value()).isEqualTo(2);
    assertThat(smooth.get(1).value()).isEqualTo((0.9 * 2 + 1) / 1.9, within(1e-12));
    assertThat(smooth.get(2).value())
        .isEqualTo((0.81 * 2 + 0.9 * 1 + 4) / (0.81 + 0.9 + 1), within(1e-12));
  }

  @Test
  void ticksAreRoundNumbers() {
    assertThat(Axis.over(new double[] {0.37, 2.9}, 0, 100).ticks().stream().map(LinePlot::label))
        .containsExactly("1", "2");
    assertThat(Axis.over(new double[] {1, 500}, 0, 100).ticks().stream().map(LinePlot::label))
        .containsExactly("100", "200", "300", "400", "500");
    assertThat(Axis.over(new double[] {0, 1e-4}, 0, 100).ticks().stream().map(LinePlot::label))
        .containsExactly("0", "2e-5", "4e-5", "6e-5", "8e-5", "1e-4");
    assertThat(Axis.over(new double[] {7}, 0, 100).ticks()).isNotEmpty();
  }

  @Test
  void theHighestValueIsDrawnHighest() {
    Raster picture = LinePlot.of("eval/loss", List.of(new Sample(0, 1), new Sample(10, 3)), false);

    // From the lower left corner of the frame to its upper right one.
    assertThat(picture.color(112, 388)).isEqualTo(0xC2410C);
    assertThat(picture.color(758, 48)).isEqualTo(0xC2410C);
    assertThat(picture.color(112, 52)).isEqualTo(0xFFFFFF);
  }

  @Test
  void whatTheLogHasIsPlottedAndNothingElse() throws IOException {
    Path log = folder.resolve("logging.jsonl");
    Path images = folder.resolve("images");
    Files.createDirectory(images);
    Files.writeString(images.resolve("eval_loss.png"), "another run's");
    Files.write(
        log,
        IntStream.rangeClosed(1, 9)
            .mapToObj(
                i ->
                    "{\"step\":%d,\"loss\":%f,\"learningRate\":1e-4,\"gradientNorm\":1,\"tokenAccuracy\":0.5}"
                        .formatted(i, 3.0 / i))
            .toList());

    new RunPlots(
            log,
            images,
            warning -> {
              throw new AssertionError(warning);
            })
        .close();

    try (Stream<Path> files = Files.list(images)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "train_loss.png",
              "train_token_accuracy.png",
              "train_grad_norm.png",
              "train_learning_rate.png");
    }
    assertThat(ImageIO.read(images.resolve("train_loss.png").toFile()).getWidth()).isEqualTo(800);
  }
}
