package dev.finetune.trainer.train;

import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.RowOrder;
import dev.finetune.trainer.data.TokenizedExample;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Rows for {@link FakeModel}: row i, from 0, has i % 3 + 2 tokens of id i. */
public final class FakeData {
  private FakeData() {}

  /** Rows one a micro-batch, in their order. */
  public static TrainingData of(int rows, int accumulation, int validationRows) {
    return of(rows, accumulation, validationRows, false);
  }

  /** Rows one a micro-batch, in an order drawn for each epoch. */
  public static TrainingData shuffled(int rows, int accumulation, int validationRows) {
    return of(rows, accumulation, validationRows, true);
  }

  private static TrainingData of(int rows, int accumulation, int validationRows, boolean shuffle) {
    RowOrder order = new RowOrder(rows, 42, shuffle);
    List<TokenizedExample> held = rows("valid.jsonl", 1, validationRows + 1);
    return new TrainingData(
        new MicroBatches(rows("train.jsonl", 0, rows), order, 1, accumulation, 0, 1, 0),
        MicroBatches.inOrder(held, 1, 0));
  }

  private static List<TokenizedExample> rows(String file, int first, int end) {
    return IntStream.range(first, end)
        .mapToObj(
            id -> {
              int[] ids = new int[id % 3 + 2];
              Arrays.fill(ids, id);
              return new TokenizedExample(file + ":" + (id - first + 1), ids, ids.clone());
            })
        .toList();
  }
}
