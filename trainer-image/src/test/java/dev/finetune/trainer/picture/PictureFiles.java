package dev.finetune.trainer.picture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The pictures of the tests, and how far one is from another. */
final class PictureFiles {
  static final Path GOLDEN = Path.of("src/test/resources/golden/internvl");
  static final Path KINDS = Path.of("src/test/resources/pictures");

  private PictureFiles() {}

  static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static RgbImage decode(Path file) throws PictureFault {
    return CodedPicture.of(bytes(file)).decode();
  }

  /**
   * How far bytes are from others.
   *
   * @param most levels of 255 in one byte
   * @param mean levels of all bytes
   */
  record Distance(int most, double mean) {
    static Distance between(byte[] one, byte[] other) {
      if (one.length != other.length) {
        throw new IllegalArgumentException(one.length + " bytes, " + other.length);
      }
      int most = 0;
      long sum = 0;
      for (int i = 0; i < one.length; i++) {
        int levels = Math.abs((one[i] & 0xFF) - (other[i] & 0xFF));
        most = Math.max(most, levels);
        sum += levels;
      }
      return new Distance(most, (double) sum / one.length);
    }
  }
}
