package dev.finetune.trainer.data;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * How often an epoch takes each row: as often as its source's weight says, whole copies, and of the
 * fraction's rest a share of the source's rows, drawn anew for each epoch from the seed. Every
 * epoch takes the same number of rows.
 */
public final class WeightedRows {
  private final int[] counts;
  private final double[] weights;
  private final long seed;

  /**
   * @param counts rows of each source, one source's behind the other's
   * @param weights how often each source's rows are taken, above 0; at least one row of each source
   *     is
   * @param seed the recipe's seed
   */
  public WeightedRows(List<Integer> counts, List<Double> weights, long seed) {
    this.counts = counts.stream().mapToInt(Integer::intValue).toArray();
    this.weights = weights.stream().mapToDouble(Double::doubleValue).toArray();
    this.seed = seed;
    if (this.counts.length != this.weights.length) {
      throw new IllegalArgumentException(counts + " rows with the weights " + weights);
    }
  }

  /** Rows of which every epoch takes each once. */
  public static WeightedRows once(int rows) {
    return new WeightedRows(List.of(rows), List.of(1.0), 0);
  }

  /** Rows that there are. */
  public int rows() {
    return Arrays.stream(counts).sum();
  }

  /** Rows that each epoch takes. */
  public int perEpoch() {
    return IntStream.range(0, counts.length)
        .map(i -> Math.addExact(Math.multiplyExact(copies(i), counts[i]), drawn(i)))
        .reduce(0, Math::addExact);
  }

  /** Whether every epoch takes the same rows. */
  public boolean constant() {
    return IntStream.range(0, counts.length).allMatch(i -> drawn(i) == 0 || drawn(i) == counts[i]);
  }

  /**
   * The rows of an epoch in the sources' order, copies of one side by side.
   *
   * @param epoch its number, from 0
   */
  public int[] epoch(int epoch) {
    int[] rows = new int[perEpoch()];
    int filled = 0;
    int first = 0;
    for (int source = 0; source < counts.length; source++) {
      boolean[] extra = extra(source, epoch);
      for (int row = 0; row < counts[source]; row++) {
        int times = copies(source) + (extra[row] ? 1 : 0);
        Arrays.fill(rows, filled, filled + times, first + row);
        filled += times;
      }
      first += counts[source];
    }
    return rows;
  }

  /**
   * The mean over epochs of a sum over their rows.
   *
   * @param value what a row counts
   */
  long mean(IntUnaryOperator value) {
    double sum = 0;
    int first = 0;
    for (int source = 0; source < counts.length; source++) {
      int end = first + counts[source];
      double times =
          counts[source] == 0 ? 0 : copies(source) + (double) drawn(source) / counts[source];
      sum += times * IntStream.range(first, end).mapToLong(value::applyAsInt).sum();
      first = end;
    }
    return Math.round(sum);
  }

  private int copies(int source) {
    return (int) weights[source];
  }

  /** Rows of the weight's fraction. */
  private int drawn(int source) {
    int count = (int) Math.round((weights[source] - copies(source)) * counts[source]);
    return copies(source) == 0 ? Math.max(Math.min(1, counts[source]), count) : count;
  }

  private boolean[] extra(int source, int epoch) {
    boolean[] extra = new boolean[counts[source]];
    int drawn = drawn(source);
    if (drawn > 0) {
      long index = (long) epoch * counts.length + source;
      int[] order =
          new SplitMix64(seed, SplitMix64.Purpose.WEIGHT, index).permutation(extra.length);
      Arrays.stream(order, 0, drawn).forEach(row -> extra[row] = true);
    }
    return extra;
  }
}
