package dev.finetune.trainer.data;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import java.util.stream.IntStream;

/** All rows of an evaluation in batches, which are made when they are asked for. */
public final class EvaluationBatches extends AbstractList<Batch> implements RandomAccess {
  private final Examples examples;
  private final List<int[]> rows;
  private final boolean packed;
  private final int padId;

  private EvaluationBatches(Examples examples, List<int[]> rows, boolean packed, int padId) {
    this.examples = examples;
    this.rows = rows;
    this.packed = packed;
    this.padId = padId;
  }

  /**
   * The rows in their own order, padded.
   *
   * @param examples the rows; none gives no batch
   * @param batchSize rows of a batch
   * @param padId id that fills the padding
   */
  public static List<Batch> padded(Examples examples, int batchSize, int padId) {
    List<int[]> rows = new ArrayList<>();
    for (int from = 0; from < examples.size(); from += batchSize) {
      int end = Math.min(examples.size(), from + batchSize);
      rows.add(IntStream.range(from, end).toArray());
    }
    return new EvaluationBatches(examples, rows, false, padId);
  }

  /**
   * The rows packed into sequences.
   *
   * @param examples the rows; none gives no batch
   * @param batchSize sequences of a batch
   * @param maxLength most tokens of a sequence
   */
  public static List<Batch> packed(Examples examples, int batchSize, int maxLength) {
    List<int[]> sequences = PackedOrder.inOrder(examples, maxLength);
    List<int[]> rows = new ArrayList<>();
    for (int from = 0; from < sequences.size(); from += batchSize) {
      int end = Math.min(sequences.size(), from + batchSize);
      rows.add(sequences.subList(from, end).stream().flatMapToInt(Arrays::stream).toArray());
    }
    return new EvaluationBatches(examples, rows, true, 0);
  }

  @Override
  public Batch get(int batch) {
    List<TokenizedExample> members =
        Arrays.stream(rows.get(batch)).mapToObj(examples::get).toList();
    return packed ? Batch.packed(members) : Batch.of(members, padId);
  }

  @Override
  public int size() {
    return rows.size();
  }
}
