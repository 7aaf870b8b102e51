package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sequences packed into one row are as if each were alone. */
class PackedBatchTest {
  private static final String NAMES = "dev.finetune.trainer.method.GoldenModel#names";

  @ParameterizedTest
  @MethodSource(NAMES)
  void lossAndGradientsAreThePaddedBatchs(String name) {
    GoldenModel golden = new GoldenModel(name);
    List<TokenizedExample> rows = golden.rows("train").subList(0, 5);
    // Of different lengths, and longer than the golden models' window.
    assertThat(rows.stream().mapToInt(TokenizedExample::length).distinct().count())
        .isGreaterThan(2);
    assertThat(rows).anyMatch(row -> row.length() > 16);
    try (TunedModel padded = trained(golden, false);
        TunedModel packed = trained(golden, false);
        TunedModel recomputed = trained(golden, true)) {
      double loss = accumulate(padded, Batch.of(rows, golden.padId()));

      assertThat(accumulate(packed, Batch.packed(rows))).isCloseTo(loss, within(1e-6 * loss));
      assertThat(packed.evaluate(Batch.packed(rows))).isCloseTo(loss, within(1e-6 * loss));
      assertClose(packed.gradients(), padded.gradients());
      accumulate(recomputed, Batch.packed(rows));
      assertClose(recomputed.gradients(), padded.gradients());
    }
  }

  @ParameterizedTest
  @MethodSource(NAMES)
  void whatASequenceSaysNoOtherHears(String name) {
    GoldenModel golden = new GoldenModel(name);
    List<TokenizedExample> rows = golden.rows("train");
    TokenizedExample first = rows.get(0);
    TokenizedExample last = rows.get(2);
    TokenizedExample silent = silent(rows.get(1), 0);
    try (TunedModel model = trained(golden, false)) {
      double loss = model.evaluate(Batch.packed(List.of(first, silent, last)));

      TokenizedExample other = silent(rows.get(1), 7);
      assertThat(model.evaluate(Batch.packed(List.of(first, other, last)))).isEqualTo(loss);
      TokenizedExample changed = new TokenizedExample("c", other(last, 7), last.labels());
      assertThat(model.evaluate(Batch.packed(List.of(first, silent, changed)))).isNotEqualTo(loss);
    }
  }

  @Test
  void twoDevicesPackAsOneDoes() {
    GoldenModel golden = new GoldenModel("tiny-mistral");
    Batch batch = Batch.packed(golden.rows("train").subList(0, 5));
    Recipe recipe = recipe(0.2, true);
    ModelFolder folder = ModelFolder.open(golden.base());
    List<LayerRange> ranges = List.of(new LayerRange(0, 1, 2), new LayerRange(1, 2, 2));
    try (TunedModel one = TunedModel.create(recipe, folder, "cpu", new SingleProcess());
        LayeredModel two =
            LayeredModel.create(
                recipe, folder, ranges, List.of("cpu", "cpu"), new SingleProcess())) {
      assertThat(accumulate(two, batch)).isEqualTo(accumulate(one, batch));
      assertThat(two.evaluate(batch)).isEqualTo(one.evaluate(batch));
      Map<String, HostTensor> gradients = two.gradients();
      one.gradients()
          .forEach(
              (name, gradient) ->
                  assertThat(gradients.get(name).bytes()).as(name).isEqualTo(gradient.bytes()));
    }
  }

  /** The same tokens, or others, none of which the loss counts. */
  private static TokenizedExample silent(TokenizedExample example, int shift) {
    int[] labels = new int[example.length()];
    Arrays.fill(labels, TokenizedExample.IGNORED);
    return new TokenizedExample("silent", other(example, shift), labels);
  }

  private static int[] other(TokenizedExample example, int shift) {
    return Arrays.stream(example.inputIds()).map(id -> (id + shift) % 700).toArray();
  }

  /** With an adapter that was trained: a fresh one has no gradients of lora_A. */
  private static TunedModel trained(GoldenModel golden, boolean recompute) {
    TunedModel model =
        TunedModel.create(
            recipe(0, recompute), ModelFolder.open(golden.base()), "cpu", new SingleProcess());
    model.restore(golden.tensors("lora/final/adapter_model.safetensors"), model.optimizer());
    return model;
  }

  private static Recipe recipe(double dropout, boolean recompute) {
    LoraOptions lora = GoldenModel.lora(dropout, LoraVariant.STANDARD, "all-linear");
    return GoldenModel.recipe(lora, 0, 0, recompute);
  }

  private static double accumulate(TrainableModel model, Batch batch) {
    return model.accumulate(List.of(batch), batch.supervisedTokens(), i -> 1, () -> false)[0];
  }

  private static void assertClose(
      Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    expected.forEach(
        (name, gradient) -> {
          FloatBuffer values = actual.get(name).floats();
          FloatBuffer others = gradient.floats();
          double largest =
              IntStream.range(0, values.limit())
                  .mapToDouble(i -> Math.abs(values.get(i) - others.get(i)))
                  .max()
                  .orElseThrow();
          assertThat(largest).as("largest difference in %s", name).isLessThan(1e-6);
        });
  }
}
