package dev.finetune.trainer.data;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * An order with rows of like length side by side, so that little is padded. As transformers'
 * LengthGroupedSampler: the epoch's order is cut into groups of fifty windows, each sorted by
 * length, longest first. Then, other than there, the whole windows are shuffled, so that their
 * lengths don't fall over and over again, and the one with the longest row comes first, so that a
 * lack of memory shows at once. Which rows make a window depends on the rows of a window alone, not
 * on how they are spread over micro-batches and ranks.
 */
public final class LengthGroups implements EpochOrder {
  /** As transformers has it. */
  private static final int WINDOWS_OF_A_GROUP = 50;

  private final RowOrder order;
  private final int[] lengths;
  private final int windowRows;

  /**
   * @param order the order that is grouped
   * @param examples the rows, for their lengths
   * @param windowRows rows of an optimizer step, on all ranks
   */
  public LengthGroups(RowOrder order, Examples examples, int windowRows) {
    this.order = order;
    this.lengths = examples.lengths();
    this.windowRows = windowRows;
  }

  @Override
  public int rows() {
    return order.rows();
  }

  @Override
  public int sequences() {
    return order.sequences();
  }

  @Override
  public boolean byLength() {
    return true;
  }

  @Override
  public Sequences sequencesOf(int epoch) {
    int[] rows = order.epoch(epoch);
    int whole = rows.length / windowRows;
    sortGroups(rows);
    int[] windows = windows(rows, whole, epoch);
    int[] grouped = rows.clone();
    for (int i = 0; i < whole; i++) {
      System.arraycopy(rows, windows[i] * windowRows, grouped, i * windowRows, windowRows);
    }
    return Sequences.single(grouped);
  }

  private void sortGroups(int[] rows) {
    long group = Math.min(rows.length, (long) WINDOWS_OF_A_GROUP * windowRows);
    for (long start = 0; start < rows.length; start += group) {
      int end = (int) Math.min(rows.length, start + group);
      // A stable sort: rows of one length stay as the epoch's shuffle has them.
      int[] sorted =
          Arrays.stream(rows, (int) start, end)
              .boxed()
              .sorted(Comparator.comparingInt(row -> -lengths[row]))
              .mapToInt(Integer::intValue)
              .toArray();
      System.arraycopy(sorted, 0, rows, (int) start, sorted.length);
    }
  }

  /** The order of the whole windows; an incomplete one stays the last. */
  private int[] windows(int[] rows, int whole, int epoch) {
    int[] windows =
        order.shuffle()
            ? new SplitMix64(order.seed(), SplitMix64.Purpose.LENGTH_GROUPS, epoch)
                .permutation(whole)
            : IntStream.range(0, whole).toArray();
    int longest = 0;
    for (int i = 1; i < whole; i++) {
      if (longestOf(rows, windows[i]) > longestOf(rows, windows[longest])) {
        longest = i;
      }
    }
    if (whole > 0) {
      int first = windows[0];
      windows[0] = windows[longest];
      windows[longest] = first;
    }
    return windows;
  }

  /** A group is made of whole windows, so the first row of each is its longest. */
  private int longestOf(int[] rows, int window) {
    return lengths[rows[window * windowRows]];
  }
}
