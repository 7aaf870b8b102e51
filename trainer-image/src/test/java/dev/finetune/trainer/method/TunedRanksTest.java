package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.RowOrder;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.distributed.RankThreads;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model on each of several ranks, threads of this process that sum as processes do. */
class TunedRanksTest {
  private static final double RATE = 1e-4;
  private static final int STEPS = 4;
  private static final int ROWS_PER_STEP = 12;

  private final GoldenModel golden = new GoldenModel("tiny-llama");

  /**
   * What a rank ends with.
   *
   * @param loss of each step on all ranks, nats per token
   * @param norms of the gradients
   * @param firstGradient this rank's share of the first step's
   * @param adapter the values
   * @param optimizer the state; none but on rank 0
   */
  private record Run(
      double[] loss,
      double[] norms,
      Map<String, HostTensor> firstGradient,
      Map<String, HostTensor> adapter,
      Map<String, HostTensor> optimizer) {}

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void ranksTrainAsOneDoesOnUnevenRows(int ranks) throws IOException {
    Run alone = train(new SingleProcess(), Map.of(), Map.of());

    List<Run> together = RankThreads.run(ranks, group -> train(group, Map.of(), Map.of()));

    for (Run run : together) {
      assertThat(run.loss()).containsExactly(alone.loss(), within(2e-6));
      assertThat(run.norms()).containsExactly(alone.norms(), within(2e-5));
      assertThat(run.norms()).isEqualTo(together.get(0).norms());
      assertSame(run.adapter(), together.get(0).adapter());
    }
    assertClose(together.get(0).adapter(), alone.adapter());
    assertClose(together.get(0).optimizer(), alone.optimizer());
    assertThat(together.get(1).optimizer()).isEmpty();
    alone
        .firstGradient()
        .forEach(
            (name, gradient) -> {
              float[] sum = new float[gradient.floats().limit()];
              together.forEach(run -> add(sum, run.firstGradient().get(name)));
              assertThat(sum).as(name).containsExactly(array(gradient), within(2e-6f));
            });
  }

  @Test
  void aStateGoesOnWithAnotherNumberOfRanks() throws IOException {
    Run start = train(new SingleProcess(), Map.of(), Map.of());
    Run alone = train(new SingleProcess(), start.adapter(), start.optimizer());

    // Only rank 0 has read the checkpoint.
    List<Run> together =
        RankThreads.run(
            3,
            group ->
                group.rank() == 0
                    ? train(group, start.adapter(), start.optimizer())
                    : train(group, Map.of("", HostTensor.ofFloats(new float[1], 1)), Map.of()));

    assertThat(together.get(2).loss()).containsExactly(alone.loss(), within(2e-6));
    assertClose(together.get(1).adapter(), alone.adapter());
    assertClose(together.get(0).optimizer(), alone.optimizer());
  }

  /** Restores first where there is an adapter; one that isn't rank 0's may be anything. */
  private Run train(
      ProcessGroup group, Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
    LoraOptions lora = GoldenModel.lora(0.0, LoraVariant.STANDARD, "all-linear");
    Recipe recipe = GoldenModel.recipe(lora, 0.1, 1.0, true);
    // 7 rows for the last step of an epoch: of four ranks the last one has none.
    List<TokenizedExample> rows = golden.rows("train").subList(0, 19);
    MicroBatches batches =
        new MicroBatches(
            rows,
            new RowOrder(rows.size(), 1, true),
            ROWS_PER_STEP / group.size(),
            1,
            group.rank(),
            group.size(),
            golden.padId());
    double[] losses = new double[STEPS];
    double[] norms = new double[STEPS];
    Map<String, HostTensor> gradient = Map.of();
    try (TunedModel model =
        TunedModel.create(recipe, ModelFolder.open(golden.base()), "cpu", group)) {
      if (!adapter.isEmpty()) {
        model.restore(adapter, optimizer);
      }
      for (int step = 0; step < STEPS; step++) {
        MicroBatches.Window window =
            batches.window(step / batches.windowsPerEpoch(), step % batches.windowsPerEpoch());
        List<Batch> own = window.batches();
        double[] sum = {
          Arrays.stream(model.accumulate(own, window.supervisedTokens(), micro -> 0, () -> false))
              .sum()
        };
        group.sum(sum);
        losses[step] = sum[0] / window.supervisedTokens();
        gradient = step == 0 ? model.gradients() : gradient;
        norms[step] = model.step(RATE);
      }
      return new Run(losses, norms, gradient, model.adapter(), model.optimizer());
    }
  }

  private static void add(float[] sum, HostTensor tensor) {
    FloatBuffer values = tensor.floats();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += values.get(i);
    }
  }

  private static float[] array(HostTensor tensor) {
    float[] values = new float[tensor.floats().limit()];
    tensor.floats().get(values);
    return values;
  }

  private static void assertSame(Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, tensor) -> assertThat(array(actual.get(name))).as(name).isEqualTo(array(tensor)));
  }

  private static void assertClose(
      Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, tensor) -> {
          if (tensor.dtype().equals("F32")) {
            assertThat(array(actual.get(name)))
                .as(name)
                .containsExactly(array(tensor), within(2e-5f));
          } else {
            assertThat(actual.get(name).longs().get(0)).isEqualTo(tensor.longs().get(0));
          }
        });
  }
}
