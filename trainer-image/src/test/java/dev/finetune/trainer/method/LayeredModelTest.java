package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The model over several devices is the model on one, bit for bit but for the gradient's norm. */
class LayeredModelTest {
  private static final double RATE = 1e-3;

  private final GoldenModel golden = new GoldenModel("tiny-llama");
  private final ModelFolder folder = ModelFolder.open(golden.base());

  @ParameterizedTest(name = "dropout {0}, recompute {1}")
  @CsvSource({"0.0,true", "0.3,true", "0.0,false", "0.3,false"})
  void twoDevicesTrainAsOneDoes(double dropout, boolean recompute) {
    Recipe recipe = recipe(dropout, recompute, "all-linear");
    try (TunedModel one = TunedModel.create(recipe, folder, "cpu", new SingleProcess());
        LayeredModel two = layered(recipe, 1, 2)) {
      assertSame(two.adapter(), one.adapter());
      for (int step = 0; step < 4; step++) {
        // The last window is an incomplete one: fewer micro-batches, and fewer rows in the last.
        List<Batch> window =
            step == 3
                ? List.of(
                    golden.trainBatch(9),
                    Batch.of(golden.rows("train").subList(0, 1), golden.padId()))
                : IntStream.range(3 * step, 3 * step + 3).mapToObj(golden::trainBatch).toList();
        assertThat(accumulate(two, window, step)).isEqualTo(accumulate(one, window, step));
        assertSame(two.gradients(), one.gradients());
        double norm = one.step(RATE);
        assertThat(two.step(RATE)).isCloseTo(norm, within(1e-12 * norm));
        assertClose(two.adapter(), one.adapter());
      }
      assertThat(two.evaluate(golden.trainBatch(0)))
          .isCloseTo(one.evaluate(golden.trainBatch(0)), within(1e-5));
    }
  }

  @ParameterizedTest(name = "{0}, recompute {1}")
  @CsvSource({
    "tiny-llama,true",
    "tiny-llama,false",
    "tiny-llama3,true",
    "tiny-qwen2,true",
    "tiny-qwen3,false"
  })
  void fourDevicesTrainAsOneDoes(String name, boolean recompute, @TempDir Path dir)
      throws IOException {
    ModelFolder deep = DeepModel.twiceAsDeep(new GoldenModel(name), dir);
    Recipe recipe = recipe(0.2, recompute, "all-linear");
    List<LayerRange> ranges =
        IntStream.range(0, 4).mapToObj(i -> new LayerRange(i, i + 1, 4)).toList();
    List<Batch> window = IntStream.range(0, 7).mapToObj(golden::trainBatch).toList();
    try (TunedModel one = TunedModel.create(recipe, deep, "cpu", new SingleProcess());
        LayeredModel four =
            LayeredModel.create(
                recipe, deep, ranges, Collections.nCopies(4, "cpu"), new SingleProcess())) {
      for (int step = 0; step < 3; step++) {
        // More micro-batches than devices, as many, and fewer.
        List<Batch> batches = window.subList(0, 7 - 3 * step);
        assertThat(accumulate(four, batches, step)).isEqualTo(accumulate(one, batches, step));
        assertSame(four.gradients(), one.gradients());
        double norm = one.step(RATE);
        assertThat(four.step(RATE)).isCloseTo(norm, within(1e-12 * norm));
      }
      assertClose(four.adapter(), one.adapter());
      assertThat(four.evaluate(window.get(0))).isCloseTo(one.evaluate(window.get(0)), within(1e-5));
    }
  }

  @Test
  void withoutClippingStepsAreTheSameBitForBit() {
    LoraOptions lora = lora(0.2, "all-linear");
    Recipe recipe = GoldenModel.recipe(lora, 0.1, 0, true);
    List<Batch> window = List.of(golden.trainBatch(0), golden.trainBatch(1));
    try (TunedModel one = TunedModel.create(recipe, folder, "cpu", new SingleProcess());
        LayeredModel two = layered(recipe, 1, 2)) {
      for (int step = 0; step < 5; step++) {
        accumulate(one, window, step);
        accumulate(two, window, step);
        one.step(RATE);
        two.step(RATE);
      }
      assertSame(two.adapter(), one.adapter());
      assertSame(two.optimizer(), one.optimizer());
    }
  }

  @Test
  void checkpointsGoFromOneDeviceToSeveralAndBack() {
    Recipe recipe = recipe(0.1, true, "all-linear");
    List<Batch> window = List.of(golden.trainBatch(0), golden.trainBatch(1));
    try (TunedModel one = TunedModel.create(recipe, folder, "cpu", new SingleProcess());
        LayeredModel two = layered(recipe, 1, 2)) {
      accumulate(one, window, 0);
      one.step(RATE);
      two.restore(one.adapter(), one.optimizer());
      assertThat(two.adapter().keySet()).containsExactlyElementsOf(one.adapter().keySet());
      assertThat(two.optimizer().keySet()).containsExactlyElementsOf(one.optimizer().keySet());
      assertSame(two.adapter(), one.adapter());
      assertSame(two.optimizer(), one.optimizer());
      assertThat(two.adapterConfig()).isEqualTo(one.adapterConfig());
      assertThat(two.parameters()).isEqualTo(one.parameters());
      accumulate(two, window, 1);
      two.step(RATE);
      one.restore(two.adapter(), two.optimizer());
      assertThat(accumulate(one, window, 2)).isEqualTo(accumulate(two, window, 2));
    }
  }

  @Test
  void aCheckpointOfAnotherRunIsRefusedAsOnOneDevice() {
    try (LayeredModel two = layered(recipe(0, true, "all-linear"), 1, 2);
        TunedModel fewer =
            TunedModel.create(recipe(0, true, "q_proj"), folder, "cpu", new SingleProcess())) {
      assertThatThrownBy(() -> two.restore(fewer.adapter(), fewer.optimizer()))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("has no tensor base_model.model.model.layers.0.self_attn.k_proj");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.layers.0.self_attn.q_proj", "model.layers.1.mlp.up_proj"})
  void aDeviceWithoutATargetTrainsNothingAndPassesTheGradientOn(String target) {
    for (boolean recompute : new boolean[] {true, false}) {
      Recipe recipe = recipe(0.1, recompute, target);
      List<Batch> window =
          List.of(golden.trainBatch(0), golden.trainBatch(1), golden.trainBatch(2));
      try (TunedModel one = TunedModel.create(recipe, folder, "cpu", new SingleProcess());
          LayeredModel two = layered(recipe, 1, 2)) {
        for (int step = 0; step < 2; step++) {
          assertThat(accumulate(two, window, step)).isEqualTo(accumulate(one, window, step));
          assertSame(two.gradients(), one.gradients());
          assertThat(two.step(RATE)).isCloseTo(one.step(RATE), within(1e-6));
        }
        assertClose(two.adapter(), one.adapter());
      }
    }
  }

  @Test
  void askedToStopItFinishesWhatItBegan() {
    Recipe recipe = recipe(0, true, "all-linear");
    List<Batch> window = IntStream.range(0, 6).mapToObj(golden::trainBatch).toList();
    AtomicInteger asked = new AtomicInteger();
    try (TunedModel one = TunedModel.create(recipe, folder, "cpu", new SingleProcess());
        LayeredModel two = layered(recipe, 1, 2)) {
      double[] losses = two.accumulate(window, 100, m -> m, () -> asked.incrementAndGet() > 3);
      assertThat(losses).isEqualTo(one.accumulate(window.subList(0, 3), 100, m -> m, () -> false));
      assertSame(two.gradients(), one.gradients());
      assertThat(two.accumulate(window, 100, m -> m, () -> true)).isEmpty();
    }
  }

  @Test
  void whatOneStageThrowsEndsTheWindow() {
    TokenizedExample unknown = new TokenizedExample("x:1", new int[] {1, 768}, new int[] {1, 768});
    List<Batch> window =
        List.of(golden.trainBatch(0), golden.trainBatch(1), Batch.of(List.of(unknown), 0));
    long before = ScriptValue.open();
    try (LayeredModel two = layered(recipe(0, true, "all-linear"), 1, 2)) {
      long open = ScriptValue.open();
      assertThatThrownBy(() -> two.accumulate(window, 10, m -> m, () -> false))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("the token id 768");
      assertThat(ScriptValue.open()).isEqualTo(open);
      assertThat(two.accumulate(window.subList(0, 2), 10, m -> m, () -> false)).hasSize(2);
    }
    assertThat(ScriptValue.open()).isEqualTo(before);
  }

  @Test
  void hundredsOfWindowsKeepNothingOpen() {
    try (LayeredModel two = layered(recipe(0.1, true, "q_proj"), 1, 2)) {
      Batch row = Batch.of(golden.rows("train").subList(0, 1), golden.padId());
      long open = ScriptValue.open();
      for (int step = 0; step < 300; step++) {
        accumulate(two, List.of(row, row, row), step);
        two.step(RATE);
      }
      two.evaluate(row);
      assertThat(ScriptValue.open()).isEqualTo(open);
    }
  }

  /** The model over CPU "devices": one ends before each of the bounds. */
  private LayeredModel layered(Recipe recipe, int... ends) {
    int layers = folder.config().layers();
    List<LayerRange> ranges =
        IntStream.range(0, ends.length)
            .mapToObj(i -> new LayerRange(i == 0 ? 0 : ends[i - 1], ends[i], layers))
            .toList();
    return LayeredModel.create(
        recipe, folder, ranges, Collections.nCopies(ends.length, "cpu"), new SingleProcess());
  }

  private static LoraOptions lora(double dropout, String... targets) {
    return GoldenModel.lora(dropout, LoraVariant.STANDARD, targets);
  }

  private static Recipe recipe(double dropout, boolean recompute, String... targets) {
    return GoldenModel.recipe(lora(dropout, targets), 0.1, 0.5, recompute);
  }

  private static double[] accumulate(TrainableModel model, List<Batch> window, int step) {
    return model.accumulate(window, tokens(window), micro -> seed(step, micro), () -> false);
  }

  private static long seed(int step, int micro) {
    return 100L * step + micro;
  }

  private static long tokens(List<Batch> window) {
    return window.stream().mapToLong(Batch::supervisedTokens).sum();
  }

  private static void assertSame(Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    expected.forEach(
        (name, tensor) -> assertThat(actual.get(name).bytes()).as(name).isEqualTo(tensor.bytes()));
  }

  private static void assertClose(
      Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    expected.forEach(
        (name, tensor) -> {
          FloatBuffer wanted = tensor.floats();
          FloatBuffer found = actual.get(name).floats();
          for (int i = 0; i < wanted.limit(); i++) {
            assertThat(found.get(i)).as(name).isCloseTo(wanted.get(i), within(1e-6f));
          }
        });
  }
}
