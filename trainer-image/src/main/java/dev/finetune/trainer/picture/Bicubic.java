package dev.finetune.trainer.picture;

import static dev.finetune.trainer.picture.RgbImage.CHANNELS;

import java.util.Arrays;

/**
 * Pillow 10's bicubic filter for 8-bit channels, byte for byte: a is -0.5, the filter is as wide as
 * the picture shrinks, weights have 22 bits behind the point, and the rows are resized first, then
 * the columns, both rounded to bytes. (Later releases may begin with the columns.)
 */
final class Bicubic {
  private static final int BITS = 22;
  private static final int HALF = 1 << (BITS - 1);
  private static final double RADIUS = 2;
  private static final double A = -0.5;

  private Bicubic() {}

  /** The whole picture in another size. */
  static RgbImage resize(RgbImage image, int width, int height) {
    RgbImage resized = image;
    if (width != image.width()) {
      resized = rows(resized, width);
    }
    if (height != image.height()) {
      resized = columns(resized, height);
    }
    return resized;
  }

  /** Each row in another length. */
  private static RgbImage rows(RgbImage image, int width) {
    Weights weights = Weights.of(image.width(), width);
    byte[] in = image.rgb();
    byte[] out = new byte[Math.multiplyExact(image.height(), width * CHANNELS)];
    int target = 0;
    for (int y = 0; y < image.height(); y++) {
      int row = y * image.width() * CHANNELS;
      for (int x = 0; x < width; x++) {
        int red = HALF;
        int green = HALF;
        int blue = HALF;
        int source = row + weights.first[x] * CHANNELS;
        for (int k = weights.start[x]; k < weights.start[x + 1]; k++) {
          int weight = weights.weight[k];
          red += weight * (in[source] & 0xFF);
          green += weight * (in[source + 1] & 0xFF);
          blue += weight * (in[source + 2] & 0xFF);
          source += CHANNELS;
        }
        out[target++] = clamp(red);
        out[target++] = clamp(green);
        out[target++] = clamp(blue);
      }
    }
    return new RgbImage(width, image.height(), out);
  }

  /** Each column in another length. */
  private static RgbImage columns(RgbImage image, int height) {
    Weights weights = Weights.of(image.height(), height);
    int stride = image.width() * CHANNELS;
    byte[] in = image.rgb();
    byte[] out = new byte[Math.multiplyExact(height, stride)];
    int[] sums = new int[stride];
    for (int y = 0; y < height; y++) {
      Arrays.fill(sums, HALF);
      int row = weights.first[y] * stride;
      for (int k = weights.start[y]; k < weights.start[y + 1]; k++) {
        int weight = weights.weight[k];
        for (int i = 0; i < stride; i++) {
          sums[i] += weight * (in[row + i] & 0xFF);
        }
        row += stride;
      }
      for (int i = 0; i < stride; i++) {
        out[y * stride + i] = clamp(sums[i]);
      }
    }
    return new RgbImage(image.width(), height, out);
  }

  private static byte clamp(int sum) {
    return (byte) Math.max(0, Math.min(255, sum >> BITS));
  }

  /**
   * What each place of the output takes of the input. A sum of them times 255 stays within an int:
   * the negative ones make up less than a quarter.
   *
   * @param first the first place of the input that a place of the output takes
   * @param start where its weights begin; one more than there are places
   * @param weight of all places, one behind the other
   */
  private record Weights(int[] first, int[] start, int[] weight) {
    static Weights of(int from, int to) {
      double scale = (double) from / to;
      double widening = Math.max(scale, 1);
      double radius = RADIUS * widening;
      int[] first = new int[to];
      int[] start = new int[to + 1];
      int[] weight = new int[Math.multiplyExact(to, (int) Math.ceil(radius) * 2 + 1)];
      double[] exact = new double[(int) Math.ceil(radius) * 2 + 1];
      for (int place = 0; place < to; place++) {
        double centre = (place + 0.5) * scale;
        int low = Math.max((int) (centre - radius + 0.5), 0);
        int high = Math.min((int) (centre + radius + 0.5), from);
        double sum = 0;
        for (int i = 0; i < high - low; i++) {
          exact[i] = cubic((i + low - centre + 0.5) * (1 / widening));
          sum += exact[i];
        }
        first[place] = low;
        int next = start[place];
        for (int i = 0; i < high - low; i++) {
          double share = sum == 0 ? exact[i] : exact[i] / sum;
          weight[next++] = (int) (share * (1 << BITS) + (share < 0 ? -0.5 : 0.5));
        }
        start[place + 1] = next;
      }
      return new Weights(first, start, weight);
    }
  }

  private static double cubic(double distance) {
    double x = Math.abs(distance);
    if (x < 1) {
      return ((A + 2) * x - (A + 3)) * x * x + 1;
    }
    if (x < 2) {
      return (((x - 5) * x + 8) * x - 4) * A;
    }
    return 0;
  }
}
