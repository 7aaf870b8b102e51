package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.LinearLayer;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.Nf4Reference;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * LoRA on weights in four bits is LoRA on the weights that they stand for, which {@link
 * Nf4Reference} computes: bit for bit.
 */
class QuantizedModelTest {
  private static final double RATE = 1e-3;

  private final GoldenModel golden = new GoldenModel("tiny-llama");
  private final ModelFolder folder = ModelFolder.open(golden.base());

  @ParameterizedTest(name = "{0}, {1}, recompute {2}")
  @CsvSource({
    "tiny-llama,FP32,true",
    "tiny-llama,FP32,false",
    "tiny-llama,BF16,true",
    "tiny-llama3,FP32,true",
    "tiny-qwen2,FP32,true",
    "tiny-qwen3,FP32,false"
  })
  void trainsAsTheModelWithItsWeightsRounded(
      String name, String precision, boolean recompute, @TempDir Path dir) throws IOException {
    GoldenModel model = new GoldenModel(name);
    ModelFolder original = ModelFolder.open(model.base());
    Map<String, Object> settings = Map.of("training.precision", precision);
    Recipe plain = recipe(0.1, recompute, settings);
    try (TunedModel quantized = create(nf4(0.1, recompute, settings), original);
        TunedModel rounded = create(plain, rounded(original, dir));
        TunedModel unquantized = create(plain, original)) {
      Batch batch = model.trainBatch(0);
      assertThat(quantized.evaluate(batch)).isNotEqualTo(unquantized.evaluate(batch));
      for (int step = 0; step < 3; step++) {
        assertThat(quantized.evaluate(batch)).isEqualTo(rounded.evaluate(batch));
        assertThat(accumulate(quantized, model.trainBatch(step), step))
            .isEqualTo(accumulate(rounded, model.trainBatch(step), step));
        assertSame(quantized.gradients(), rounded.gradients());
        assertThat(quantized.step(RATE)).isEqualTo(rounded.step(RATE));
      }
      assertSame(quantized.adapter(), rounded.adapter());
    }
  }

  @Test
  void gradientsAreTheSlopeOfTheLoss() {
    try (TunedModel model = create(nf4(0, true, Map.of()), folder)) {
      for (int step = 0; step < 2; step++) {
        accumulate(model, golden.trainBatch(step), step);
        model.step(RATE);
      }
      Batch batch = golden.trainBatch(2);
      model.accumulate(List.of(batch), 1, micro -> 0, () -> false);
      Map<String, HostTensor> gradients = model.gradients();
      Map<String, HostTensor> adapter = model.adapter();
      Map<String, HostTensor> optimizer = model.optimizer();
      for (String layer : List.of("0.self_attn.q_proj", "1.mlp.down_proj")) {
        for (String kind : List.of("lora_A", "lora_B")) {
          String name = "base_model.model.model.layers.%s.%s.weight".formatted(layer, kind);
          int i = indexOfLargest(gradients.get(name).floats());
          model.restore(moved(adapter, name, i, 0.01f), optimizer);
          double up = model.evaluate(batch).nll();
          model.restore(moved(adapter, name, i, -0.01f), optimizer);
          double down = model.evaluate(batch).nll();
          double slope = gradients.get(name).floats().get(i);
          assertThat((up - down) / 0.02)
              .as(name)
              .isCloseTo(slope, within(2e-3 * Math.abs(slope) + 1e-2));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void twoDevicesTrainAsOneDoes(boolean recompute) {
    Recipe recipe = nf4(0.2, recompute, Map.of());
    List<LayerRange> ranges = List.of(new LayerRange(0, 1, 2), new LayerRange(1, 2, 2));
    List<Batch> window = List.of(golden.trainBatch(0), golden.trainBatch(1), golden.trainBatch(2));
    try (TunedModel one = create(recipe, folder);
        LayeredModel two =
            LayeredModel.create(
                recipe, folder, ranges, List.of("cpu", "cpu"), new SingleProcess())) {
      for (int step = 0; step < 2; step++) {
        assertThat(two.accumulate(window, 100, micro -> micro, () -> false))
            .isEqualTo(one.accumulate(window, 100, micro -> micro, () -> false));
        assertSame(two.gradients(), one.gradients());
        one.step(RATE);
        two.step(RATE);
      }
    }
  }

  @Test
  void theStoredWeightsStayBitForBitAndAResumedRunGoesOnExactly() {
    Recipe recipe = nf4(0.1, true, Map.of());
    try (TunedModel straight = create(recipe, folder);
        TunedModel resumed = create(recipe, folder)) {
      Map<String, HostTensor> start = straight.adapter();
      Map<String, HostTensor> optimizer = straight.optimizer();
      TokenSums before = straight.evaluate(golden.trainBatch(3));
      for (int step = 0; step < 3; step++) {
        accumulate(straight, golden.trainBatch(step), step);
        straight.step(RATE);
      }
      resumed.restore(straight.adapter(), straight.optimizer());
      for (int step = 3; step < 5; step++) {
        assertThat(accumulate(resumed, golden.trainBatch(step), step))
            .isEqualTo(accumulate(straight, golden.trainBatch(step), step));
        assertThat(resumed.step(RATE)).isEqualTo(straight.step(RATE));
      }
      assertSame(resumed.adapter(), straight.adapter());
      straight.restore(start, optimizer);
      assertThat(straight.evaluate(golden.trainBatch(3))).isEqualTo(before);
    }
  }

  /** Four bits cost this tiny model 0.065 of 0.98 nats a token at the start. */
  @Test
  void theLossesStayCloseToThoseOfTheUnquantizedModel() {
    try (TunedModel quantized = create(nf4(0, true, Map.of()), folder);
        TunedModel unquantized = create(recipe(0, true, Map.of()), folder)) {
      for (int step = 0; step < 10; step++) {
        Batch batch = golden.trainBatch(step);
        double loss = accumulate(unquantized, batch, step);
        assertThat(accumulate(quantized, batch, step))
            .as("step %d", step)
            .isCloseTo(loss, within(0.15 * batch.supervisedTokens()))
            .isNotEqualTo(loss);
        quantized.step(RATE);
        unquantized.step(RATE);
      }
    }
  }

  @Test
  void theAdapterAndTheCountsAreThoseOfTheUnquantizedModel() {
    try (TunedModel quantized = create(nf4(0, true, Map.of()), folder);
        TunedModel unquantized = create(recipe(0, true, Map.of()), folder)) {
      assertThat(quantized.adapterConfig()).isEqualTo(unquantized.adapterConfig());
      assertThat(quantized.parameters()).isEqualTo(unquantized.parameters());
      assertSame(quantized.adapter(), unquantized.adapter());
    }
  }

  /** The model with the weights that NF4 makes of its linear layers'. */
  private static ModelFolder rounded(ModelFolder original, Path dir) throws IOException {
    Files.copy(original.path().resolve("config.json"), dir.resolve("config.json"));
    Map<String, HostTensor> weights =
        new LinkedHashMap<>(SafetensorsReader.read(original.path().resolve("model.safetensors")));
    for (LinearLayer layer : original.linearLayers()) {
      weights.computeIfPresent(
          layer.name() + ".weight",
          (name, weight) -> {
            float[] numbers = new float[weight.floats().limit()];
            weight.floats().get(numbers);
            float[] restored = Nf4Reference.of(numbers).dequantized(numbers.length);
            return HostTensor.ofFloats(restored, weight.shape());
          });
    }
    try (FileChannel file =
        FileChannel.open(
            dir.resolve("model.safetensors"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE)) {
      SafetensorsWriter.write(file, weights);
    }
    return ModelFolder.open(dir);
  }

  private static TunedModel create(Recipe recipe, ModelFolder folder) {
    return TunedModel.create(recipe, folder, "cpu", new SingleProcess());
  }

  private static Recipe nf4(double dropout, boolean recompute, Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(more);
    settings.put("model.quantization", "NF4");
    return recipe(dropout, recompute, settings);
  }

  private static Recipe recipe(double dropout, boolean recompute, Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(more);
    settings.put("method.lora", GoldenModel.lora(dropout, LoraVariant.STANDARD, "all-linear"));
    return GoldenModel.recipe(settings, 0.1, 1.0, recompute);
  }

  private static double accumulate(TunedModel model, Batch batch, int step) {
    return model
        .accumulate(List.of(batch), batch.supervisedTokens(), micro -> step, () -> false)
        .get(0)
        .nll();
  }

  private static Map<String, HostTensor> moved(
      Map<String, HostTensor> adapter, String name, int index, float delta) {
    float[] values = new float[adapter.get(name).floats().limit()];
    adapter.get(name).floats().get(values);
    values[index] += delta;
    Map<String, HostTensor> changed = new HashMap<>(adapter);
    changed.put(name, HostTensor.ofFloats(values, adapter.get(name).shape()));
    return changed;
  }

  private static int indexOfLargest(FloatBuffer values) {
    int largest = 0;
    for (int i = 1; i < values.limit(); i++) {
      largest = Math.abs(values.get(i)) > Math.abs(values.get(largest)) ? i : largest;
    }
    return largest;
  }

  private static void assertSame(Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    expected.forEach(
        (name, tensor) -> assertThat(actual.get(name).bytes()).as(name).isEqualTo(tensor.bytes()));
  }
}
