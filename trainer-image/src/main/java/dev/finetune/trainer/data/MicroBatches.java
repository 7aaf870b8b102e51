package dev.finetune.trainer.data;

import java.util.ArrayList;
import java.util.List;

/**
 * The training rows as micro-batches in accumulation windows, one window per optimizer step. Every
 * window is found by its epoch and number, so that a resumed run starts at any of them. The last
 * micro-batch and the last window of an epoch may be smaller; no row is left out and none is taken
 * twice.
 *
 * <p>Several ranks share a window: each takes {@code batchSize} rows of every micro-batch in the
 * order of the ranks, so that four ranks with a batch size of 2 see the rows of one with 8. In the
 * last micro-batch of an epoch some ranks may have fewer rows, or none.
 */
public final class MicroBatches {
  private final List<TokenizedExample> examples;
  private final RowOrder order;
  private final int batchSize;
  private final int accumulationSteps;
  private final int rank;
  private final int ranks;
  private final int padId;
  private int orderedEpoch = -1;
  private int[] epochOrder = {};

  /**
   * @param examples the training rows, in the files' order
   * @param order their order in each epoch
   * @param batchSize rows of a micro-batch on one rank
   * @param accumulationSteps micro-batches of a window
   * @param rank whose rows are taken, from 0
   * @param ranks how many share the rows
   * @param padId id that fills the padding
   */
  public MicroBatches(
      List<TokenizedExample> examples,
      RowOrder order,
      int batchSize,
      int accumulationSteps,
      int rank,
      int ranks,
      int padId) {
    if (order.rows() != examples.size()) {
      throw new IllegalArgumentException(
          "an order of " + order.rows() + " rows for " + examples.size() + " examples");
    }
    this.examples = List.copyOf(examples);
    this.order = order;
    this.batchSize = batchSize;
    this.accumulationSteps = accumulationSteps;
    this.rank = rank;
    this.ranks = ranks;
    this.padId = padId;
  }

  /**
   * The micro-batches of one optimizer step.
   *
   * @param batches this rank's; may be none in the last window of an epoch
   * @param supervisedTokens tokens that the loss counts, on all ranks
   * @param tokens tokens without padding, on all ranks
   */
  public record Window(List<Batch> batches, long supervisedTokens, long tokens) {}

  /** Optimizer steps of an epoch. */
  public int windowsPerEpoch() {
    return ceilDiv(examples.size(), rowsPerWindow());
  }

  /**
   * A window.
   *
   * @param epoch from 0
   * @param window from 0 to {@link #windowsPerEpoch} - 1
   */
  public synchronized Window window(int epoch, int window) {
    if (window < 0 || window >= windowsPerEpoch()) {
      throw new IndexOutOfBoundsException(
          "window " + window + " of " + windowsPerEpoch() + " in an epoch");
    }
    if (epoch != orderedEpoch) {
      epochOrder = order.epoch(epoch);
      orderedEpoch = epoch;
    }
    int first = (int) (window * rowsPerWindow());
    int end = (int) Math.min(examples.size(), first + rowsPerWindow());
    long supervised = 0;
    long tokens = 0;
    for (int i = first; i < end; i++) {
      TokenizedExample row = examples.get(epochOrder[i]);
      supervised += row.supervisedTokens();
      tokens += row.length();
    }
    List<Batch> batches = new ArrayList<>();
    for (int from = first + rank * batchSize; from < end; from += ranks * batchSize) {
      List<TokenizedExample> rows = new ArrayList<>();
      for (int i = from; i < Math.min(end, from + batchSize); i++) {
        rows.add(examples.get(epochOrder[i]));
      }
      batches.add(Batch.of(rows, padId));
    }
    return new Window(batches, supervised, tokens);
  }

  /** Rows of an optimizer step, on all ranks. */
  private long rowsPerWindow() {
    return (long) batchSize * ranks * accumulationSteps;
  }

  /**
   * All rows in their own order, for an evaluation.
   *
   * @param examples the rows; none gives no batch
   * @param batchSize rows of a batch
   * @param padId id that fills the padding
   */
  public static List<Batch> inOrder(List<TokenizedExample> examples, int batchSize, int padId) {
    List<Batch> batches = new ArrayList<>();
    for (int from = 0; from < examples.size(); from += batchSize) {
      int end = Math.min(examples.size(), from + batchSize);
      batches.add(Batch.of(examples.subList(from, end), padId));
    }
    return batches;
  }

  private static int ceilDiv(int count, long size) {
    return (int) ((count + size - 1) / size);
  }
}
