package dev.finetune.trainer.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of all kinds against what Pillow decodes them to; resources/pictures/make.py made both. */
class CodedPictureTest {
  /**
   * Debian's JDK 17 decodes JPEGs with libjpeg-turbo, as Pillow does, and Temurin's 25 with libjpeg
   * 6b: both had the same samples.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "gray1.png",
        "gray2.png",
        "gray4.png",
        "gray16.png",
        "gray_trns.png",
        "palette1.png",
        "palette2.png",
        "palette4.png",
        "palette_trns.png",
        "rgb16.png",
        "rgb_trns.png",
        "rgb_gama.png",
        "interlaced.png",
        "adaptive.gif",
        "first_of_two.gif",
        "rgb24.bmp",
        "rgba32.bmp",
        "gray8.bmp",
        "black_white.bmp",
        "lossless.webp",
        "lossless_alpha.webp",
        "profile.webp",
        "baseline.jpg",
        "progressive.jpg",
        "subsampled.jpg",
        "profile.jpg",
        "gray.jpg",
        "rgb_kept.jpg",
        "bare.jpg"
      })
  void samplesAreEqualToPillows(String name) throws PictureFault {
    RgbImage decoded = PictureFiles.decode(PictureFiles.KINDS.resolve(name));

    assertThat(decoded.width()).isEqualTo(53);
    assertThat(decoded.height()).isEqualTo(37);
    assertThat(decoded.rgb()).isEqualTo(expected(name));
  }

  /**
   * The decoder takes the colours of a lossy file from the next of their samples, where libwebp
   * interpolates between them. The bounds are just above what was measured; the pictures have
   * strong colours, natural ones are nearer.
   */
  @ParameterizedTest
  @CsvSource({
    "lossy30.webp, 20, 3.1",
    "lossy75.webp, 16, 2.6",
    "lossy95.webp, 13, 2.4",
    "lossy_alpha.webp, 16, 2.6"
  })
  void samplesOfALossyWebpAreNearLibwebps(String name, int most, double mean) throws PictureFault {
    RgbImage decoded = PictureFiles.decode(PictureFiles.KINDS.resolve(name));

    PictureFiles.Distance distance = PictureFiles.Distance.between(decoded.rgb(), expected(name));
    assertThat(distance.most()).isLessThanOrEqualTo(most);
    assertThat(distance.mean()).isLessThanOrEqualTo(mean);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rgb16.png",
        "interlaced.png",
        "palette4.png",
        "baseline.jpg",
        "progressive.jpg",
        "gray.jpg",
        "lossless.webp",
        "lossy75.webp",
        "lossy_alpha.webp",
        "adaptive.gif",
        "rgb24.bmp"
      })
  void aFileThatIsCutOffIsAFaultWhereverItIsCut(String name) {
    byte[] whole = PictureFiles.bytes(PictureFiles.KINDS.resolve(name));

    for (int length : new int[] {20, whole.length / 4, whole.length / 2, whole.length - 2}) {
      assertThatThrownBy(() -> CodedPicture.of(Arrays.copyOf(whole, length)).decode())
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(PictureFault.class)
          .hasMessageMatching("is cut off behind " + length(length) + " bytes: copy it again.*");
    }
  }

  private static String length(int bytes) {
    return "%,d".formatted(bytes);
  }

  @Test
  void pixelsThatEndBeforeThePictureDoesAreAFault() {
    byte[] whole = PictureFiles.bytes(PictureFiles.KINDS.resolve("baseline.jpg"));
    byte[] ended = Arrays.copyOf(whole, whole.length - 300);
    ended[ended.length - 2] = (byte) 0xFF;
    ended[ended.length - 1] = (byte) 0xD9;

    assertThatThrownBy(() -> CodedPicture.of(ended).decode())
        .isInstanceOf(PictureFault.class)
        .hasMessageStartingWith("is damaged, as JPEG (Corrupt JPEG data: premature end");
  }

  @Test
  void aPngWithAWrongChecksumIsAFault() {
    byte[] png = PictureFiles.bytes(PictureFiles.KINDS.resolve("rgb16.png"));
    png[png.length / 2] ^= 1;

    assertThatThrownBy(() -> CodedPicture.of(png))
        .isInstanceOf(PictureFault.class)
        .hasMessage("is damaged: a checksum is wrong at byte 33: copy it again, or leave it out");
  }

  @Test
  void aPngOfLessPixelsThanItSaysIsAFault() throws IOException {
    byte[] png = PictureFiles.bytes(PictureFiles.KINDS.resolve("gray2.png"));
    // Its height, in the header.
    png[23]++;
    java.util.zip.CRC32 sum = new java.util.zip.CRC32();
    sum.update(png, 12, 17);
    for (int i = 0; i < 4; i++) {
      png[29 + i] = (byte) (sum.getValue() >> (24 - 8 * i));
    }

    assertThatThrownBy(() -> CodedPicture.of(png).decode())
        .isInstanceOf(PictureFault.class)
        .hasMessageStartingWith("is damaged, as PNG");
  }

  @Test
  void aHugePictureIsRefusedByItsHeader() {
    byte[] bmp = PictureFiles.bytes(PictureFiles.KINDS.resolve("rgb24.bmp"));
    // 16,725 wide, and 10,701 high.
    bmp[18] = 0x55;
    bmp[19] = 0x41;
    bmp[22] = (byte) 0xCD;
    bmp[23] = 0x29;

    assertThatThrownBy(() -> CodedPicture.of(bmp))
        .isInstanceOf(PictureFault.class)
        .hasMessage("has 16725 x 10701 pixels, and 178,956,970 are allowed: scale it down");
  }

  @Test
  void whatIsNoPictureIsSaidToBeNone() {
    assertThatThrownBy(() -> CodedPicture.of("a cat".getBytes(StandardCharsets.US_ASCII)))
        .isInstanceOf(PictureFault.class)
        .hasMessage(
            "isn't a picture of a kind that is read (PNG, JPEG, WebP, GIF, BMP), whatever its name"
                + " says: save it as PNG");
    assertThatThrownBy(() -> CodedPicture.of(new byte[0]))
        .isInstanceOf(PictureFault.class)
        .hasMessage("is empty: copy it again");
  }

  @ParameterizedTest
  @CsvSource({
    "cmyk.jpg, is a JPEG in CMYK",
    "animated.webp, is an animation",
  })
  void filesOfRareKindsAreRefused(String name, String message) {
    assertThatThrownBy(() -> PictureFiles.decode(PictureFiles.KINDS.resolve(name)))
        .isInstanceOf(PictureFault.class)
        .hasMessageStartingWith(message)
        .hasMessageContaining("save ");
  }

  private static byte[] expected(String name) throws PictureFault {
    Path file = PictureFiles.KINDS.resolve(name + ".rgb.png");
    return PictureFiles.decode(file).rgb();
  }
}
