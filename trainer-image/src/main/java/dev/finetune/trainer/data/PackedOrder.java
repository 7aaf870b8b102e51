package dev.finetune.trainer.data;

import java.util.List;
import java.util.stream.IntStream;

/**
 * An order whose sequences hold several rows up to the longest allowed length. Each epoch is packed
 * anew: which rows of a length travel with which others is drawn, and so is the order of the
 * sequences. How many there are is the same in every epoch unless a source's weight has a fraction;
 * then every epoch's are counted in advance, and the windows are cut for the one with most.
 */
public final class PackedOrder implements EpochOrder {
  private final RowOrder order;
  private final int[] lengths;
  private final int maxLength;
  private final int sequences;

  /**
   * @param order the order that is packed
   * @param examples the rows, for their lengths
   * @param maxLength most tokens of a sequence
   * @param epochs epochs of the run
   */
  public PackedOrder(RowOrder order, Examples examples, int maxLength, int epochs) {
    this.order = order;
    this.lengths = examples.lengths();
    this.maxLength = maxLength;
    this.sequences =
        IntStream.range(0, order.weighted().constant() ? 1 : epochs)
            .map(epoch -> pack(epoch).size())
            .max()
            .orElse(0);
  }

  @Override
  public int rows() {
    return order.rows();
  }

  @Override
  public int sequences() {
    return sequences;
  }

  @Override
  public boolean packs() {
    return true;
  }

  @Override
  public Sequences sequencesOf(int epoch) {
    List<int[]> packed = pack(epoch);
    int[] sequenceOrder =
        order.shuffle()
            ? new SplitMix64(order.seed(), SplitMix64.Purpose.PACKING, epoch)
                .permutation(packed.size())
            : IntStream.range(0, packed.size()).toArray();
    int[] ends = new int[packed.size()];
    int[] rows = new int[order.sequences()];
    int filled = 0;
    for (int i = 0; i < ends.length; i++) {
      int[] sequence = packed.get(sequenceOrder[i]);
      System.arraycopy(sequence, 0, rows, filled, sequence.length);
      filled += sequence.length;
      ends[i] = filled;
    }
    return new Sequences(rows, ends);
  }

  private List<int[]> pack(int epoch) {
    return Packing.pack(order.epoch(epoch), lengths, maxLength);
  }

  /**
   * Rows in their own order, put together for an evaluation.
   *
   * @return the rows of each sequence
   */
  static List<int[]> inOrder(Examples examples, int maxLength) {
    int[] rows = IntStream.range(0, examples.size()).toArray();
    return Packing.pack(rows, examples.lengths(), maxLength);
  }
}
