package dev.finetune.trainer.picture;

/**
 * A decoded picture.
 *
 * @param width pixels of a row
 * @param height rows
 * @param rgb {@code height x width x 3} bytes: red, green and blue of each pixel from the left,
 *     rows from the top
 */
record RgbImage(int width, int height, byte[] rgb) {
  static final int CHANNELS = 3;

  RgbImage {
    if (rgb.length != (long) width * height * CHANNELS) {
      throw new IllegalArgumentException(
          rgb.length + " bytes for " + width + " x " + height + " pixels");
    }
  }
}
