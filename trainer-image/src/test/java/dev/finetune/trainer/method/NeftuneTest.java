package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.engine.ScriptSource;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** NEFTune's noise on the embeddings (arXiv:2310.05914). */
class NeftuneTest {
  private static final double RATE = 1e-3;
  private static final double ALPHA = 5;

  private static final String PROBE =
      """
      class Probe(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool

        def noise(self: __torch__.Probe, n: int, size: int, tokens: int, alpha: float, seed: int, lengths: List[int]) -> Tensor:
          return __torch__.noisy(torch.zeros([n, size], dtype=6), tokens, __torch__.Noise(alpha, seed, lengths))
      """;

  private static TorchScript script;

  private final GoldenModel golden = new GoldenModel("tiny-llama");
  private final ModelFolder folder = ModelFolder.open(golden.base());

  @BeforeAll
  static void compile() {
    String source =
        ScriptSource.read(CausalLm.class, "causal_lm.py", "nf4.py", "plain.py", "llama.py");
    script = TorchScript.compile("Probe", source + PROBE);
  }

  @AfterAll
  static void close() {
    script.close();
  }

  @Test
  void isUniformWithinAlphaOverTheRootOfLengthTimesSize() {
    float[] noise = noise(4 * 256, 64, 256, ALPHA, 1);
    double bound = ALPHA / Math.sqrt(256 * 64);
    double sum = 0;
    double squares = 0;
    double largest = 0;
    int inner = 0;
    for (float value : noise) {
      sum += value;
      squares += value * value;
      largest = Math.max(largest, Math.abs(value));
      inner += Math.abs(value) < bound / 2 ? 1 : 0;
    }
    int n = noise.length;
    assertThat(n).isEqualTo(65536);
    assertThat(largest).isBetween(0.9999 * bound, bound * (1 + 1e-6));
    // Of each four standard errors.
    assertThat(sum / n).isCloseTo(0, within(4 * bound / Math.sqrt(3.0 * n)));
    assertThat(squares / n).isCloseTo(bound * bound / 3, within(4 * 0.3 * bound * bound / 256));
    assertThat((double) inner / n).isCloseTo(0.5, within(4 * 0.5 / 256));
  }

  @Test
  void scalesWithAlphaLengthAndSizeAndNotWithTheNumberOfRows() {
    float[] one = noise(64, 16, 64, ALPHA, 1);
    assertScaled(noise(64, 16, 64, 3 * ALPHA, 1), one, 3);
    assertScaled(noise(64, 16, 16, ALPHA, 1), one, 2);
    assertScaled(noise(16, 64, 64, ALPHA, 1), one, 0.5);
    assertScaled(noise(64, 16, 32, ALPHA, 1), one, Math.sqrt(2));
  }

  @Test
  void aPackedSequenceHasTheNoiseOfItsOwnLength() {
    float[] padded = noise(96, 16, 96, ALPHA, 1);
    float[] packed = noise(96, 16, 96, ALPHA, 1, 24, 6, 66);
    int start = 0;
    for (int length : new int[] {24, 6, 66}) {
      for (int i = start * 16; i < (start + length) * 16; i++) {
        double expected = padded[i] * Math.sqrt(96.0 / length);
        assertThat((double) packed[i]).isCloseTo(expected, within(1e-6 * Math.abs(expected)));
      }
      start += length;
    }
  }

  @Test
  void dependsOnItsSeedAlone() {
    assertThat(noise(64, 16, 64, ALPHA, 1)).isEqualTo(noise(64, 16, 64, ALPHA, 1));
    assertThat(noise(64, 16, 64, ALPHA, 1)).isNotEqualTo(noise(64, 16, 64, ALPHA, 2));
    assertThat(noise(64, 16, 64, 0, 1)).containsOnly(0);
  }

  @Test
  void theSeedOfTheNoiseIsNoneOfTheDropouts() {
    long[] seeds = DropoutSeeds.of(7, 2, 0);
    assertThat(seeds).hasSize(4).doesNotHaveDuplicates();
    assertThat(DropoutSeeds.of(8, 2, 0)).doesNotContain(seeds);
  }

  @Test
  void changesTrainingAndNotEvaluation() {
    try (TunedModel noisy = create(recipe(ALPHA, 0, true));
        TunedModel plain = create(recipe(0, 0, true))) {
      Batch batch = golden.trainBatch(0);
      assertThat(noisy.evaluate(batch)).isEqualTo(plain.evaluate(batch));
      double loss = accumulate(noisy, batch, 1);
      assertThat(loss).isNotEqualTo(accumulate(plain, batch, 1));
      assertThat(accumulate(noisy, batch, 2)).isNotEqualTo(loss);
      assertThat(accumulate(noisy, batch, 1)).isEqualTo(loss);
      assertThat(noisy.evaluate(batch)).isEqualTo(plain.evaluate(batch));
    }
  }

  @Test
  void isTheSameWhereLayersAreComputedAgainAndOnSeveralDevices() {
    List<LayerRange> ranges = List.of(new LayerRange(0, 1, 2), new LayerRange(1, 2, 2));
    List<Batch> window = List.of(golden.trainBatch(0), golden.trainBatch(1), golden.trainBatch(2));
    try (TunedModel again = create(recipe(ALPHA, 0.2, true));
        TunedModel kept = create(recipe(ALPHA, 0.2, false));
        LayeredModel two =
            LayeredModel.create(
                recipe(ALPHA, 0.2, true),
                folder,
                ranges,
                List.of("cpu", "cpu"),
                new SingleProcess())) {
      for (TrainableModel other : List.of(kept, two)) {
        assertThat(other.accumulate(window, 100, micro -> micro, () -> false))
            .isEqualTo(again.accumulate(window, 100, micro -> micro, () -> false));
        again.step(0);
      }
      again.accumulate(window, 100, micro -> micro, () -> false);
      assertSame(kept.gradients(), again.gradients());
      assertSame(two.gradients(), again.gradients());
      assertThat(two.evaluate(window.get(0)).nll())
          .isCloseTo(again.evaluate(window.get(0)).nll(), within(1e-5));
    }
  }

  @Test
  void aResumedModelDrawsTheSame() {
    try (TunedModel straight = create(recipe(ALPHA, 0.1, true));
        TunedModel resumed = create(recipe(ALPHA, 0.1, true))) {
      for (int step = 0; step < 2; step++) {
        accumulate(straight, golden.trainBatch(step), step);
        straight.step(RATE);
      }
      resumed.restore(straight.adapter(), straight.optimizer());
      List<Double> losses = new ArrayList<>();
      for (int step = 2; step < 5; step++) {
        losses.add(accumulate(straight, golden.trainBatch(step), step));
        assertThat(accumulate(resumed, golden.trainBatch(step), step))
            .isEqualTo(losses.get(losses.size() - 1));
        assertThat(resumed.step(RATE)).isEqualTo(straight.step(RATE));
      }
      assertThat(losses).doesNotHaveDuplicates();
      assertSame(resumed.adapter(), straight.adapter());
    }
  }

  @Test
  void gradientsAreTheSlopeOfTheNoisyLoss() {
    String name = "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight";
    try (TunedModel model = create(recipe(ALPHA, 0, true))) {
      Batch batch = golden.trainBatch(0);
      model.accumulate(List.of(batch), 1, micro -> 3, () -> false);
      FloatBuffer gradient = model.gradients().get(name).floats();
      Map<String, HostTensor> adapter = model.adapter();
      Map<String, HostTensor> optimizer = model.optimizer();
      int largest = 0;
      for (int i = 1; i < gradient.limit(); i++) {
        largest = Math.abs(gradient.get(i)) > Math.abs(gradient.get(largest)) ? i : largest;
      }
      model.restore(moved(adapter, name, largest, 0.01f), optimizer);
      double up = accumulate(model, batch, 3);
      model.restore(moved(adapter, name, largest, -0.01f), optimizer);
      double down = accumulate(model, batch, 3);
      double slope = gradient.get(largest);
      assertThat((up - down) / 0.02).isCloseTo(slope, within(2e-3 * Math.abs(slope) + 1e-2));
    }
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

  private static float[] noise(
      int n, int size, int tokens, double alpha, int seed, long... lengths) {
    FloatBuffer found = script.callTensor("noise", n, size, tokens, alpha, seed, lengths).floats();
    float[] noise = new float[found.limit()];
    found.get(noise);
    return noise;
  }

  private static void assertScaled(float[] actual, float[] expected, double factor) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      double wanted = factor * expected[i];
      assertThat((double) actual[i]).isCloseTo(wanted, within(1e-6 * Math.abs(wanted)));
    }
  }

  private TunedModel create(Recipe recipe) {
    return TunedModel.create(recipe, folder, "cpu", new SingleProcess());
  }

  private static Recipe recipe(double alpha, double dropout, boolean recompute) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("method.lora", GoldenModel.lora(dropout, LoraVariant.STANDARD, "all-linear"));
    if (alpha > 0) {
      settings.put("training.neftuneAlpha", alpha);
    }
    return GoldenModel.recipe(settings, 0.1, 1.0, recompute);
  }

  private static double accumulate(TunedModel model, Batch batch, long seed) {
    return model
        .accumulate(List.of(batch), batch.supervisedTokens(), micro -> seed, () -> false)
        .get(0)
        .nll();
  }

  private static void assertSame(Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    expected.forEach(
        (name, tensor) -> assertThat(actual.get(name).bytes()).as(name).isEqualTo(tensor.bytes()));
  }
}
