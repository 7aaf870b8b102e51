package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReplicatedLoraTest {
  private static final double RATE = 1e-3;

  private final GoldenModel golden = new GoldenModel("tiny-llama");

  @Test
  void twoReplicasTrainAsOneDoes() {
    Batch four = golden.trainBatch(0);
    List<Batch> window = List.of(four, golden.trainBatch(1).rows(0, 3), four.rows(0, 1));
    try (TrainableModel one = create(1, 0);
        TrainableModel two = create(2, 0)) {
      for (int step = 0; step < 3; step++) {
        assertThat(losses(two, window)).isCloseTo(losses(one, window), within(1e-5));
        assertThat(two.step(RATE)).isCloseTo(one.step(RATE), within(1e-6));
      }
      assertThat(two.evaluate(four)).isCloseTo(one.evaluate(four), within(1e-4));
      assertClose(two.adapter(), one.adapter());
    }
  }

  @Test
  void replicasHoldTheSameAdapterAfterAStep() {
    try (TrainableModel two = create(2, 0.1)) {
      losses(two, List.of(golden.trainBatch(0)));
      two.step(RATE);
      Batch row = golden.trainBatch(1).rows(0, 1);
      Batch twice = Batch.of(Collections.nCopies(2, row.examples().get(0)), /* padId= */ 0);
      assertThat(two.evaluate(twice)).isCloseTo(2 * two.evaluate(row), within(1e-5));
    }
  }

  @Test
  void theSharesOfABatchDropOtherwise() {
    Batch row = golden.trainBatch(0).rows(0, 1);
    Batch twice = Batch.of(Collections.nCopies(2, row.examples().get(0)), /* padId= */ 0);
    try (TrainableModel two = create(2, 0.5)) {
      losses(two, List.of(golden.trainBatch(1)));
      two.step(0.1);
      double ofBoth = two.accumulate(twice, twice.supervisedTokens(), 11);
      double ofFirst = two.accumulate(row, row.supervisedTokens(), 11);
      assertThat(Math.abs(ofBoth - 2 * ofFirst)).isGreaterThan(1e-3);
    }
  }

  private TrainableModel create(int replicas, double dropout) {
    LoraOptions lora =
        new LoraOptions(8, 16.0, dropout, List.of("all-linear"), LoraVariant.STANDARD);
    Recipe recipe = GoldenModel.recipe(lora, 0, 1.0, false);
    return ReplicatedLora.create(
        recipe, ModelFolder.open(golden.base()), Collections.nCopies(replicas, "cpu"));
  }

  private static double losses(TrainableModel model, List<Batch> window) {
    long tokens = window.stream().mapToLong(Batch::supervisedTokens).sum();
    return window.stream().mapToDouble(batch -> model.accumulate(batch, tokens, 7)).sum() / tokens;
  }

  private static void assertClose(
      Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, tensor) -> {
          FloatBuffer wanted = tensor.floats();
          FloatBuffer found = actual.get(name).floats();
          for (int i = 0; i < wanted.limit(); i++) {
            assertThat(found.get(i)).as(name).isCloseTo(wanted.get(i), within(2e-5f));
          }
        });
  }
}
