package dev.finetune.trainer.report.plot;

import dev.finetune.trainer.report.plot.Raster.Point;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;

/** A number over the steps of a run: a frame with ticks, and its points joined by lines. */
final class LinePlot {
  private static final int WIDTH = 800;
  private static final int HEIGHT = 450;
  private static final int LEFT = 110;
  private static final int RIGHT = 40;
  private static final int TOP = 48;
  private static final int BOTTOM = 60;
  private static final int TEXT_SIZE = 2;
  private static final int TICKS = 5;
  private static final int GRID = 0xDDDDDD;
  private static final int INK = 0x333333;
  private static final int PALE = 0xFDBA74;
  private static final int STRONG = 0xC2410C;
  private static final double SMOOTHING = 0.9;

  private LinePlot() {}

  /**
   * A value at a step.
   *
   * @param step optimizer steps done
   * @param value finite
   */
  record Sample(int step, double value) {}

  /**
   * Draws samples.
   *
   * @param title in small letters, such as train/loss
   * @param samples at least one, in the order of their steps
   * @param smoothed whether to draw the smoothed line over the pale line of the samples
   */
  static Raster of(String title, List<Sample> samples, boolean smoothed) {
    Raster picture = new Raster(WIDTH, HEIGHT);
    Axis steps =
        Axis.over(samples.stream().mapToDouble(Sample::step).toArray(), LEFT, WIDTH - RIGHT);
    Axis values =
        Axis.over(samples.stream().mapToDouble(Sample::value).toArray(), HEIGHT - BOTTOM, TOP);
    picture.text(LEFT, TOP / 3, title, TEXT_SIZE, INK);
    frame(picture, steps, values);
    picture.line(points(samples, steps, values), 2, smoothed ? PALE : STRONG);
    if (smoothed) {
      picture.line(points(smoothed(samples), steps, values), 2.5, STRONG);
      String legend = "smoothed " + SMOOTHING;
      int width = Raster.textWidth(legend, TEXT_SIZE);
      picture.text(WIDTH - RIGHT - width, TOP / 3, legend, TEXT_SIZE, STRONG);
    }
    return picture;
  }

  /**
   * The moving average that TensorBoard shows: each earlier sample counts 0.9 times as much as the
   * next, divided by the sum of these weights, so that the beginning isn't drawn to 0.
   */
  static List<Sample> smoothed(List<Sample> samples) {
    List<Sample> smooth = new ArrayList<>();
    double sum = 0;
    double weights = 0;
    for (Sample sample : samples) {
      sum = SMOOTHING * sum + sample.value();
      weights = SMOOTHING * weights + 1;
      smooth.add(new Sample(sample.step(), sum / weights));
    }
    return smooth;
  }

  private static List<Point> points(List<Sample> samples, Axis steps, Axis values) {
    return samples.stream()
        .map(each -> new Point(steps.place(each.step()), values.place(each.value())))
        .toList();
  }

  private static void frame(Raster picture, Axis steps, Axis values) {
    int bottom = HEIGHT - BOTTOM;
    int gap = 8;
    for (double tick : values.ticks()) {
      int y = (int) Math.round(values.place(tick));
      picture.fill(LEFT, y, WIDTH - RIGHT - LEFT, 1, GRID);
      String label = label(tick);
      int width = Raster.textWidth(label, TEXT_SIZE);
      int half = PixelFont.HEIGHT * TEXT_SIZE / 2;
      picture.text(LEFT - gap - width, y - half, label, TEXT_SIZE, INK);
    }
    for (double tick : steps.ticks()) {
      int x = (int) Math.round(steps.place(tick));
      picture.fill(x, TOP, 1, bottom - TOP, GRID);
      String label = label(tick);
      int half = Raster.textWidth(label, TEXT_SIZE) / 2;
      picture.text(x - half, bottom + gap, label, TEXT_SIZE, INK);
    }
    picture.fill(LEFT, bottom, WIDTH - RIGHT - LEFT, 1, INK);
    picture.fill(LEFT, TOP, 1, bottom - TOP, INK);
    String name = "step";
    int nameY = HEIGHT - PixelFont.HEIGHT * TEXT_SIZE - gap;
    int nameX = (LEFT + WIDTH - RIGHT - Raster.textWidth(name, TEXT_SIZE)) / 2;
    picture.text(nameX, nameY, name, TEXT_SIZE, INK);
  }

  /** Such as 0.25, 1500 or 2e-5. */
  static String label(double value) {
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(6)).stripTrailingZeros();
    double size = Math.abs(value);
    if (size == 0 || (size >= 1e-3 && size < 1e6)) {
      return rounded.toPlainString();
    }
    int exponent = rounded.precision() - rounded.scale() - 1;
    return rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
  }

  /**
   * A range of numbers laid over a range of pixels.
   *
   * @param low the number at the first pixel
   * @param high the number at the last one
   */
  record Axis(double low, double high, int firstPixel, int lastPixel) {
    /** Over all of some numbers, with a little room where they are all alike. */
    static Axis over(double[] numbers, int firstPixel, int lastPixel) {
      double low = numbers[0];
      double high = numbers[0];
      for (double number : numbers) {
        low = Math.min(low, number);
        high = Math.max(high, number);
      }
      double room = high > low ? 0 : Math.max(Math.abs(low) / 10, 1e-9);
      return new Axis(low - room, high + room, firstPixel, lastPixel);
    }

    double place(double number) {
      return firstPixel + (number - low) / (high - low) * (lastPixel - firstPixel);
    }

    /** Round numbers in the range: multiples of 1, 2 or 5 times a power of ten. */
    List<Double> ticks() {
      double rough = (high - low) / TICKS;
      double power = Math.pow(10, Math.floor(Math.log10(rough)));
      double step =
          power * (rough > 5 * power ? 10 : rough > 2 * power ? 5 : rough > power ? 2 : 1);
      List<Double> ticks = new ArrayList<>();
      for (long i = (long) Math.ceil(low / step); i * step <= high; i++) {
        ticks.add(i * step);
      }
      return ticks;
    }
  }
}
