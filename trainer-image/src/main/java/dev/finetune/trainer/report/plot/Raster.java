package dev.finetune.trainer.report.plot;

import java.util.Arrays;
import java.util.List;

/** A picture of pixels in red, green and blue, white at first. (0, 0) is its upper left corner. */
final class Raster {
  /** A place; pixel (x, y) has its middle at (x + 0.5, y + 0.5). */
  record Point(double x, double y) {}

  private static final int CHANNELS = 3;

  private final int width;
  private final int height;
  private final byte[] rgb;

  Raster(int width, int height) {
    this.width = width;
    this.height = height;
    this.rgb = new byte[width * height * CHANNELS];
    Arrays.fill(rgb, (byte) 0xFF);
  }

  int width() {
    return width;
  }

  int height() {
    return height;
  }

  /** A pixel's colour as 0xRRGGBB. */
  int color(int x, int y) {
    int at = (y * width + x) * CHANNELS;
    return ((rgb[at] & 0xFF) << 16) | ((rgb[at + 1] & 0xFF) << 8) | (rgb[at + 2] & 0xFF);
  }

  /** The pixels row by row, three bytes each. */
  byte[] bytes() {
    return rgb;
  }

  /** Fills a rectangle, as far as it lies in the picture. */
  void fill(int x, int y, int columns, int rows, int color) {
    for (int j = Math.max(0, y); j < Math.min(height, y + rows); j++) {
      for (int i = Math.max(0, x); i < Math.min(width, x + columns); i++) {
        blend(i, j, color, 1);
      }
    }
  }

  /**
   * Draws a line through points with smooth edges; a single point is a dot.
   *
   * @param thickness in pixels
   */
  void line(List<Point> points, double thickness, int color) {
    // What the pieces cover is united first, so that a joint isn't darker than the rest.
    float[] coverage = new float[width * height];
    for (int i = 0; i < points.size(); i++) {
      cover(coverage, points.get(Math.max(0, i - 1)), points.get(i), thickness / 2);
    }
    for (int i = 0; i < coverage.length; i++) {
      if (coverage[i] > 0) {
        blend(i % width, i / width, color, coverage[i]);
      }
    }
  }

  private void cover(float[] coverage, Point from, Point to, double radius) {
    double reach = radius + 1;
    int left = (int) Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
    int right = (int) Math.min(width - 1, Math.ceil(Math.max(from.x, to.x) + reach));
    int top = (int) Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
    int bottom = (int) Math.min(height - 1, Math.ceil(Math.max(from.y, to.y) + reach));
    for (int y = top; y <= bottom; y++) {
      for (int x = left; x <= right; x++) {
        double covered = radius + 0.5 - distance(x + 0.5, y + 0.5, from, to);
        int at = y * width + x;
        coverage[at] = (float) Math.max(coverage[at], Math.min(1, covered));
      }
    }
  }

  /** From a point to the nearest one between two others. */
  private static double distance(double x, double y, Point from, Point to) {
    double dx = to.x - from.x;
    double dy = to.y - from.y;
    double length = dx * dx + dy * dy;
    double along = length == 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / length;
    double nearest = Math.max(0, Math.min(1, along));
    return Math.hypot(x - from.x - nearest * dx, y - from.y - nearest * dy);
  }

  /**
   * Writes a text.
   *
   * @param x its left edge
   * @param y its upper edge
   * @param size pixels of a dot of the font
   */
  void text(int x, int y, String text, int size, int color) {
    for (int i = 0; i < text.length(); i++) {
      for (int row = 0; row < PixelFont.HEIGHT; row++) {
        for (int column = 0; column < PixelFont.WIDTH; column++) {
          if (PixelFont.isSet(text.charAt(i), column, row)) {
            int dot = i * PixelFont.ADVANCE + column;
            fill(x + dot * size, y + row * size, size, size, color);
          }
        }
      }
    }
  }

  /** Width of a text in pixels. */
  static int textWidth(String text, int size) {
    return text.length() * PixelFont.ADVANCE * size;
  }

  private void blend(int x, int y, int color, double opacity) {
    int at = (y * width + x) * CHANNELS;
    for (int channel = 0; channel < CHANNELS; channel++) {
      int wanted = (color >> (8 * (CHANNELS - 1 - channel))) & 0xFF;
      int found = rgb[at + channel] & 0xFF;
      rgb[at + channel] = (byte) Math.round(found + (wanted - found) * opacity);
    }
  }
}
