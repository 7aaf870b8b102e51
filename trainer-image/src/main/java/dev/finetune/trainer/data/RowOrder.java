package dev.finetune.trainer.data;

/**
 * The order in which an epoch takes the training rows. With shuffle it is a permutation drawn from
 * SplitMix64, seeded with the recipe's seed and the epoch's number, by Fisher and Yates' method; it
 * is the same on every machine and JDK, and any epoch's order is known without those before it.
 *
 * @param weighted the rows that each epoch takes
 * @param seed the recipe's seed
 * @param shuffle false keeps the files' order in every epoch
 */
public record RowOrder(WeightedRows weighted, long seed, boolean shuffle) implements EpochOrder {
  /** An order of rows of which every epoch takes each once. */
  public RowOrder(int rows, long seed, boolean shuffle) {
    this(WeightedRows.once(rows), seed, shuffle);
  }

  /**
   * The order of one epoch.
   *
   * @param epoch its number, from 0
   * @return the rows' indices
   */
  public int[] epoch(int epoch) {
    int[] rows = weighted.epoch(epoch);
    if (!shuffle) {
      return rows;
    }
    int[] order = new SplitMix64(seed, SplitMix64.Purpose.EPOCH, epoch).permutation(rows.length);
    for (int i = 0; i < order.length; i++) {
      order[i] = rows[order[i]];
    }
    return order;
  }

  @Override
  public int rows() {
    return weighted.rows();
  }

  @Override
  public int sequences() {
    return weighted.perEpoch();
  }

  @Override
  public Sequences sequencesOf(int epoch) {
    return Sequences.single(epoch(epoch));
  }
}
