package dev.finetune.trainer.picture;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;

/**
 * A picture's file with nothing in it but what decides on the samples. Colour profiles,
 * transparency, orientation and texts are left out, so that no reader acts on them: Pillow's {@code
 * convert("RGB")} doesn't either.
 *
 * @param format what its reader is called
 * @param width pixels of a row
 * @param height rows
 * @param stream the bytes that the reader gets
 */
record CodedPicture(Format format, int width, int height, byte[] stream) {
  /** Twice Pillow's MAX_IMAGE_PIXELS: from there on it refuses a picture as well. */
  static final long MOST_PIXELS = 178_956_970;

  /** A decoded picture as ImageIO has it, of 8 bytes a pixel at most, and as we do. */
  private static final int BYTES_PER_PIXEL = 8 + RgbImage.CHANNELS;

  static {
    ImageIO.setUseCache(false);
  }

  /** The kinds of files that are read. */
  enum Format {
    PNG,
    JPEG,
    WEBP,
    GIF,
    BMP;

    private ImageReader reader() throws IOException {
      // Named, as ImageIO looks for readers only where the thread's class loader does.
      return this == WEBP
          ? new WebPImageReaderSpi().createReaderInstance(null)
          : ImageIO.getImageReadersByFormatName(name().toLowerCase(Locale.ROOT)).next();
    }
  }

  /**
   * Finds the kind of a file by its first bytes, and checks that all of it is there.
   *
   * @throws PictureFault if it isn't a picture of a kind that is read, or is too large or cut off
   */
  static CodedPicture of(byte[] file) throws PictureFault {
    if (file.length == 0) {
      throw new PictureFault("is empty: copy it again");
    }
    FileBytes bytes = new FileBytes(file);
    if (bytes.startsWith(PngFile.SIGNATURE)) {
      return PngFile.strip(bytes);
    }
    if (bytes.startsWith(JpegFile.SIGNATURE)) {
      return JpegFile.strip(bytes);
    }
    if (bytes.startsWith("RIFF") && bytes.has(8, "WEBP")) {
      return WebpFile.strip(bytes);
    }
    if (bytes.startsWith("GIF8")) {
      return GifFile.strip(bytes);
    }
    if (bytes.startsWith("BM")) {
      return BmpFile.strip(bytes);
    }
    throw new PictureFault(
        "isn't a picture of a kind that is read (PNG, JPEG, WebP, GIF, BMP), whatever its name"
            + " says: save it as PNG");
  }

  CodedPicture {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(width + " x " + height + " pixels");
    }
  }

  /**
   * One of a size that its header says.
   *
   * @throws PictureFault if the size can't be, or is too large
   */
  static CodedPicture of(Format format, long width, long height, byte[] stream)
      throws PictureFault {
    if (width < 1 || height < 1 || width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
      throw new PictureFault(
          "is damaged: its header says %d x %d pixels: copy it again".formatted(width, height));
    }
    if (width > MOST_PIXELS / height) {
      throw new PictureFault(
          "has %d x %d pixels, and %,d are allowed: scale it down"
              .formatted(width, height, MOST_PIXELS));
    }
    return new CodedPicture(format, (int) width, (int) height, stream);
  }

  /** What {@link #decode} takes of the heap at most, with the file itself. */
  long decodingBytes() {
    return (long) width * height * BYTES_PER_PIXEL + 2L * stream.length;
  }

  /**
   * The pixels.
   *
   * @throws PictureFault if the file is damaged
   */
  RgbImage decode() throws PictureFault {
    StringBuilder cutOff = new StringBuilder();
    ImageReader reader = null;
    // With the JDK's stream of memory, WebP took four times as long.
    try (ByteArrayImageInputStream input = new ByteArrayImageInputStream(stream)) {
      reader = format.reader();
      reader.addIIOReadWarningListener(
          (source, warning) -> {
            // libjpeg's words for data that end before the picture does; it fills up with gray.
            if (warning.contains("premature end")) {
              cutOff.append(warning);
            }
          });
      reader.setInput(input, /* seekForwardOnly= */ false, /* ignoreMetadata= */ true);
      BufferedImage image = reader.read(0);
      if (cutOff.length() > 0) {
        throw damaged(cutOff.toString());
      }
      if (image.getWidth() != width || image.getHeight() != height) {
        throw damaged("%d x %d pixels".formatted(image.getWidth(), image.getHeight()));
      }
      return new RgbImage(width, height, rgb(image));
    } catch (IOException | RuntimeException e) {
      // Readers meet broken data with exceptions of all kinds, such as an index out of bounds.
      throw damaged(e.getMessage());
    } finally {
      if (reader != null) {
        reader.dispose();
      }
    }
  }

  private PictureFault damaged(String how) {
    String words = how == null ? "" : " (" + how.replaceAll("\\s+", " ").strip() + ")";
    return new PictureFault(
        "is damaged, as " + format + words + ": copy it again, or leave it out");
  }

  /**
   * Red, green and blue as the file has them. Not {@link BufferedImage#getRGB}, which takes gray
   * for linear light and makes it brighter.
   */
  private static byte[] rgb(BufferedImage image) {
    Raster raster = image.getRaster();
    if (image.getColorModel() instanceof IndexColorModel palette) {
      return fromPalette(raster, palette);
    }
    if (raster.getSampleModel() instanceof PixelInterleavedSampleModel samples
        && raster.getDataBuffer() instanceof DataBufferByte bytes
        && bytes.getNumBanks() == 1) {
      return fromBytes(raster, samples, bytes.getData());
    }
    return fromSamples(raster);
  }

  private static byte[] fromPalette(Raster raster, IndexColorModel palette) {
    int width = raster.getWidth();
    byte[] rgb = new byte[Math.multiplyExact(raster.getHeight(), width * RgbImage.CHANNELS)];
    int[] indices = new int[width];
    int target = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getSamples(0, y, width, 1, 0, indices);
      for (int index : indices) {
        // Without an entry it is black, as in Pillow.
        boolean known = index < palette.getMapSize();
        rgb[target++] = known ? (byte) palette.getRed(index) : 0;
        rgb[target++] = known ? (byte) palette.getGreen(index) : 0;
        rgb[target++] = known ? (byte) palette.getBlue(index) : 0;
      }
    }
    return rgb;
  }

  private static byte[] fromBytes(
      Raster raster, PixelInterleavedSampleModel samples, byte[] bytes) {
    int[] channels = channels(samples.getNumBands());
    int[] offsets = samples.getBandOffsets();
    byte[] rgb =
        new byte[Math.multiplyExact(raster.getHeight(), raster.getWidth() * RgbImage.CHANNELS)];
    int target = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      int source = y * samples.getScanlineStride();
      for (int x = 0; x < raster.getWidth(); x++) {
        for (int channel : channels) {
          rgb[target++] = bytes[source + offsets[channel]];
        }
        source += samples.getPixelStride();
      }
    }
    return rgb;
  }

  private static byte[] fromSamples(Raster raster) {
    int[] channels = channels(raster.getNumBands());
    int bits = raster.getSampleModel().getSampleSize(0);
    int width = raster.getWidth();
    byte[] rgb = new byte[Math.multiplyExact(raster.getHeight(), width * RgbImage.CHANNELS)];
    int[] row = new int[width * raster.getNumBands()];
    int target = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        for (int channel : channels) {
          // The high byte of 16 bits.
          rgb[target++] = (byte) (row[x * raster.getNumBands() + channel] >> (bits - 8));
        }
      }
    }
    return rgb;
  }

  /** Which samples are red, green and blue: gray is all three, and alpha is the last, if any. */
  private static int[] channels(int bands) {
    return bands < RgbImage.CHANNELS ? new int[] {0, 0, 0} : new int[] {0, 1, 2};
  }
}
