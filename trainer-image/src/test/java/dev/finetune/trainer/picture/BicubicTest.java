package dev.finetune.trainer.picture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against Pillow 10.4's resize, by resources/pictures/make.py. */
class BicubicTest {
  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "5, 300",
    "53, 37",
    "53, 90",
    "20, 37",
    "112, 56",
    "7, 3",
    "160, 160",
    "52, 36",
    "224, 31"
  })
  void itIsPillowsToTheByte(int width, int height) throws PictureFault {
    RgbImage image = PictureFiles.decode(PictureFiles.KINDS.resolve("rgb24.bmp"));
    RgbImage expected =
        PictureFiles.decode(
            PictureFiles.KINDS.resolve("bicubic_%dx%d.png".formatted(width, height)));

    RgbImage resized = Bicubic.resize(image, width, height);

    assertThat(resized.width()).isEqualTo(width);
    assertThat(resized.height()).isEqualTo(height);
    assertThat(resized.rgb()).isEqualTo(expected.rgb());
  }
}
