package dev.finetune.trainer.train;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows 0 to n-1 in order, one a micro-batch; row i has i % 3 + 2 tokens of id i. */
public record FakeData(int rows, int accumulation, int validationRows) implements TrainingData {
  @Override
  public int windowsPerEpoch() {
    return (rows + accumulation - 1) / accumulation;
  }

  @Override
  public Window window(int epoch, int index) {
    List<Batch> batches = new ArrayList<>();
    for (int row = index * accumulation; row < Math.min(rows, (index + 1) * accumulation); row++) {
      batches.add(batch("train.jsonl:" + (row + 1), (row + epoch) % rows));
    }
    return new Window(batches);
  }

  @Override
  public List<Batch> validation() {
    List<Batch> batches = new ArrayList<>();
    for (int row = 0; row < validationRows; row++) {
      batches.add(batch("valid.jsonl:" + (row + 1), row + 1));
    }
    return batches;
  }

  private static Batch batch(String origin, int id) {
    int[] ids = new int[id % 3 + 2];
    Arrays.fill(ids, id);
    return Batch.of(List.of(new TokenizedExample(origin, ids, ids.clone())), 0);
  }
}
