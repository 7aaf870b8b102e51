package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The training rows as micro-batches in accumulation windows, one window per optimizer step. Every
 * window is found by its epoch and number, so that a resumed run starts at any of them. The last
 * micro-batch and the last window of an epoch may be smaller; no row is left out and none is taken
 * twice. Where rows are packed, the sequences of an epoch are shared out evenly over its windows.
 *
 * <p>Several ranks share a window: each takes {@code batchSize} sequences of every micro-batch in
 * the order of the ranks, so that four ranks with a batch size of 2 see the rows of one with 8. In
 * the last micro-batch of an epoch some ranks may have fewer rows, or none. Where a micro-batch is
 * sorted by length, the ranks take turns with its longest rows, so that all have as much to do in a
 * window.
 */
public final class MicroBatches {
  private final Examples examples;
  private final EpochOrder order;
  private final int batchSize;
  private final int accumulationSteps;
  private final int rank;
  private final int ranks;
  private final int padId;
  private int orderedEpoch = -1;
  private Sequences sequences;

  /**
   * @param examples the training rows, in the files' order
   * @param order their order in each epoch
   * @param batchSize sequences of a micro-batch on one rank
   * @param accumulationSteps micro-batches of a window
   * @param rank whose rows are taken, from 0
   * @param ranks how many share the rows
   * @param padId id that fills the padding
   */
  public MicroBatches(
      List<TokenizedExample> examples,
      EpochOrder order,
      int batchSize,
      int accumulationSteps,
      int rank,
      int ranks,
      int padId) {
    if (order.rows() != examples.size()) {
      throw new IllegalArgumentException(
          "an order of " + order.rows() + " rows for " + examples.size() + " examples");
    }
    this.examples = Examples.of(examples);
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
    return (int) ((order.sequences() + perWindow() - 1) / perWindow());
  }

  /**
   * A window. Pictures of the epoch's next one are prefetched.
   *
   * @param epoch from 0
   * @param window from 0 to {@link #windowsPerEpoch} - 1
   */
  public synchronized Window window(int epoch, int window) {
    if (window < 0 || window >= windowsPerEpoch()) {
      throw new IndexOutOfBoundsException(
          "window " + window + " of " + windowsPerEpoch() + " in an epoch");
    }
    orderFor(epoch);
    int first = firstOf(window);
    int end = firstOf(window + 1);
    long supervised = 0;
    long tokens = 0;
    for (int i = sequences.start(first); i < sequences.start(end); i++) {
      supervised += examples.supervisedTokens(sequences.rows()[i]);
      tokens += examples.length(sequences.rows()[i]);
    }
    List<Batch> batches = shares(first, end).stream().map(this::batch).toList();
    if (window + 1 < windowsPerEpoch()) {
      prefetch(firstOf(window + 1), firstOf(window + 2));
    }
    return new Window(batches, supervised, tokens);
  }

  /**
   * Tokens that all ranks compute in an epoch: those of the rows, and the padding behind them.
   *
   * @param epoch from 0
   */
  public synchronized long computedTokens(int epoch) {
    orderFor(epoch);
    long tokens = 0;
    for (int window = 0; window < windowsPerEpoch(); window++) {
      int end = firstOf(window + 1);
      for (int start = firstOf(window); start < end; start += batchSize) {
        tokens += computedTokens(start, Math.min(end, start + batchSize));
      }
    }
    return tokens;
  }

  private long computedTokens(int start, int stop) {
    long sum = 0;
    long longest = 0;
    for (int i = sequences.start(start); i < sequences.start(stop); i++) {
      int length = examples.length(sequences.rows()[i]);
      sum += length;
      longest = Math.max(longest, length);
    }
    return order.packs() ? sum : longest * (stop - start);
  }

  private void orderFor(int epoch) {
    if (epoch != orderedEpoch) {
      sequences = order.sequencesOf(epoch);
      orderedEpoch = epoch;
    }
  }

  /** The number of a window's first sequence; of the window behind the last, their number. */
  private int firstOf(int window) {
    return order.packs()
        ? (int) ((long) window * sequences.count() / windowsPerEpoch())
        : (int) Math.min(sequences.count(), window * perWindow());
  }

  /** Sequences of one micro-batch on this rank: from start up to, but without, stop. */
  private record Share(int start, int stop) {}

  private List<Share> shares(int first, int end) {
    List<Share> shares = new ArrayList<>();
    int microBatch = batchSize * ranks;
    int turn = 0;
    for (int from = first; from < end; from += microBatch) {
      int slice = order.byLength() ? (rank + turn) % ranks : rank;
      int start = Math.min(end, from + slice * batchSize);
      int stop = Math.min(end, start + batchSize);
      if (start < stop) {
        shares.add(new Share(start, stop));
      }
      turn++;
    }
    return shares;
  }

  private Batch batch(Share share) {
    List<TokenizedExample> rows = rows(share).mapToObj(examples::get).toList();
    return order.packs() ? Batch.packed(rows) : Batch.of(rows, padId);
  }

  private void prefetch(int first, int end) {
    for (Share share : shares(first, end)) {
      rows(share).forEach(row -> examples.pictures(row).forEach(Picture::prefetch));
    }
  }

  private IntStream rows(Share share) {
    return IntStream.range(sequences.start(share.start), sequences.start(share.stop))
        .map(i -> sequences.rows()[i]);
  }

  /** Sequences of an optimizer step, on all ranks. */
  private long perWindow() {
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
    return EvaluationBatches.padded(Examples.of(examples), batchSize, padId);
  }
}
