package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TunedModelTest {
  private static final double RATE = 1e-3;
  private static final String Q_B =
      "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";

  private final GoldenModel golden = new GoldenModel("tiny-llama");

  private TunedModel create(LoraOptions lora, boolean recompute) {
    return TunedModel.create(
        GoldenModel.recipe(lora, 0, 1.0, recompute),
        ModelFolder.open(golden.base()),
        "cpu",
        new SingleProcess());
  }

  private static LoraOptions lora(double dropout, String... targets) {
    return GoldenModel.lora(dropout, LoraVariant.STANDARD, targets);
  }

  private static double step(TunedModel model, Batch... batches) {
    long tokens = Arrays.stream(batches).mapToLong(Batch::supervisedTokens).sum();
    double sum =
        model.accumulate(List.of(batches), tokens, micro -> 7, () -> false).stream()
            .mapToDouble(TokenSums::nll)
            .sum();
    model.step(RATE);
    return sum / tokens;
  }

  private static double accumulate(TunedModel model, Batch batch, long windowTokens, long seed) {
    return model.accumulate(List.of(batch), windowTokens, micro -> seed, () -> false).get(0).nll();
  }

  @Test
  void aFreshAdapterChangesNothing() {
    double base = golden.data().path("eval_loss_base").asDouble();
    try (TunedModel model = create(lora(0.3, "all-linear"), false)) {
      List<Batch> batches = golden.evalBatches(4);
      double loss =
          batches.stream().mapToDouble(batch -> model.evaluate(batch).nll()).sum()
              / batches.stream().mapToLong(Batch::supervisedTokens).sum();
      assertThat(loss).isCloseTo(base, within(2e-6));
    }
  }

  @Test
  void theLikeliestTokensAreCountedWhateverTheBatchSize() {
    try (TunedModel model = create(lora(0, "all-linear"), false)) {
      long expected = 0;
      for (Batch batch : golden.evalBatches(4)) {
        HostTensor ids = HostTensor.ofLongs(batch.inputIds(), batch.rows(), batch.length());
        expected += likeliest(model.base().logits(model.scriptModel(), ids), batch);
      }
      assertThat(expected).isPositive();
      for (int size : new int[] {1, 2, 4}) {
        assertThat(
                golden.evalBatches(size).stream()
                    .mapToLong(batch -> model.evaluate(batch).correct())
                    .sum())
            .isEqualTo(expected);
      }
    }
  }

  /** How many supervised tokens have the largest of their logits (B, T, V). */
  private static long likeliest(HostTensor logits, Batch batch) {
    int vocabulary = (int) logits.shape()[2];
    FloatBuffer values = logits.floats();
    long count = 0;
    for (int i = 0; i < batch.labels().length - 1; i++) {
      long target = batch.labels()[i + 1];
      boolean sameRow = (i + 1) % batch.length() != 0;
      if (sameRow && target != TokenizedExample.IGNORED) {
        int first = i * vocabulary;
        int best =
            IntStream.range(0, vocabulary)
                .reduce((a, b) -> values.get(first + b) > values.get(first + a) ? b : a)
                .orElseThrow();
        count += best == target ? 1 : 0;
      }
    }
    return count;
  }

  @Test
  void everyAStartsUniformInOneOverTheRootOfItsInputs() {
    try (TunedModel model = create(lora(0, "all-linear"), false)) {
      model
          .adapter()
          .forEach(
              (name, tensor) -> {
                float[] values = GradientProbe.floats(tensor);
                double largest = 0;
                double squares = 0;
                for (float value : values) {
                  largest = Math.max(largest, Math.abs(value));
                  squares += value * value;
                }
                if (name.contains("lora_B")) {
                  assertThat(largest).as(name).isZero();
                } else {
                  double bound = 1 / Math.sqrt((double) tensor.shape()[1]);
                  assertThat(largest).as(name).isBetween(0.95 * bound, bound);
                  // A uniform distribution's standard deviation, to 10 % with 512 draws.
                  assertThat(Math.sqrt(squares / values.length))
                      .as(name)
                      .isCloseTo(bound / Math.sqrt(3), within(0.1 * bound));
                }
              });
    }
  }

  @Test
  void everyBMovesInTheFirstStepAndEveryAInTheSecond() {
    try (TunedModel model = create(lora(0, "all-linear"), true)) {
      Map<String, HostTensor> start = model.adapter();
      step(model, golden.trainBatch(0));
      Map<String, HostTensor> first = model.adapter();
      step(model, golden.trainBatch(1));
      Map<String, HostTensor> second = model.adapter();
      for (String name : start.keySet()) {
        if (name.contains("lora_B")) {
          assertThat(GradientProbe.floats(first.get(name)))
              .as(name)
              .isNotEqualTo(GradientProbe.floats(start.get(name)));
        } else {
          // B is zero in the first step, so A has no gradient yet.
          assertThat(GradientProbe.floats(first.get(name)))
              .as(name)
              .isEqualTo(GradientProbe.floats(start.get(name)));
          assertThat(GradientProbe.floats(second.get(name)))
              .as(name)
              .isNotEqualTo(GradientProbe.floats(start.get(name)));
        }
      }
    }
  }

  @Test
  void gradientsAreTheSlopeOfTheLoss() {
    try (TunedModel model = create(lora(0, "all-linear"), true)) {
      step(model, golden.trainBatch(0));
      step(model, golden.trainBatch(1));
      Batch batch = golden.trainBatch(2);
      accumulate(model, batch, 1, 0);
      Map<String, HostTensor> gradients = model.gradients();
      Map<String, HostTensor> adapter = model.adapter();
      Map<String, HostTensor> optimizer = model.optimizer();
      for (String name : List.of(Q_B, Q_B.replace("lora_B", "lora_A"), lastDown())) {
        int i = GradientProbe.indexOfLargest(gradients.get(name));
        float delta = 0.01f;
        double up = GradientProbe.lossWith(model, adapter, optimizer, name, i, delta, batch);
        double down = GradientProbe.lossWith(model, adapter, optimizer, name, i, -delta, batch);
        double slope = gradients.get(name).floats().get(i);
        assertThat((up - down) / (2 * delta))
            .as(name)
            .isCloseTo(slope, within(2e-3 * Math.abs(slope) + 1e-2));
      }
    }
  }

  private static String lastDown() {
    return "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight";
  }

  @Test
  void theSameRowsInOtherBatchesGiveTheSameLosses() {
    List<TokenizedExample> rows = golden.rows("train").subList(0, 8);
    List<List<Double>> runs = new ArrayList<>();
    for (int size : new int[] {8, 4, 2, 1}) {
      try (TunedModel model = create(lora(0, "all-linear"), true)) {
        List<Double> losses = new ArrayList<>();
        for (int s = 0; s < 5; s++) {
          Batch[] batches = new Batch[8 / size];
          for (int k = 0; k < batches.length; k++) {
            batches[k] = Batch.of(rows.subList(k * size, (k + 1) * size), golden.padId());
          }
          losses.add(step(model, batches));
        }
        runs.add(losses);
      }
    }
    for (List<Double> run : runs) {
      for (int s = 0; s < run.size(); s++) {
        assertThat(run.get(s)).isCloseTo(runs.get(0).get(s), within(1e-5));
      }
      assertThat(run.get(4)).isLessThan(run.get(0));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theSameSeedGivesTheSameRunBitForBitWithDropout(boolean recompute) {
    assertThat(dropoutRun(recompute, 1)).isEqualTo(dropoutRun(recompute, 1));
    assertThat(dropoutRun(recompute, 1)).isNotEqualTo(dropoutRun(recompute, 2));
  }

  @Test
  void dropoutDrawsTheSameMasksWhereLayersAreComputedAgain() {
    assertThat(dropoutRun(true, 1)).isEqualTo(dropoutRun(false, 1));
  }

  private List<Double> dropoutRun(boolean recompute, long seed) {
    List<Double> losses = new ArrayList<>();
    try (TunedModel model = create(lora(0.5, "all-linear"), recompute)) {
      for (int s = 0; s < 4; s++) {
        Batch batch = golden.trainBatch(s);
        losses.add(accumulate(model, batch, batch.supervisedTokens(), seed + s));
        losses.add(model.step(10 * RATE));
      }
    }
    return losses;
  }

  @Test
  void dropoutKeepsTheExpectationOfTheGradient() {
    // With B at zero, B's gradient is linear in the masked input: its mean over many masks is the
    // gradient without dropout.
    Batch batch = golden.trainBatch(0);
    int draws = 400;
    float[] mean;
    try (TunedModel model = create(lora(0.5, "q_proj"), false)) {
      for (int i = 0; i < draws; i++) {
        accumulate(model, batch, draws, i);
      }
      mean = GradientProbe.floats(model.gradients().get(Q_B));
    }
    try (TunedModel model = create(lora(0, "q_proj"), false)) {
      accumulate(model, batch, 1, 0);
      float[] exact = GradientProbe.floats(model.gradients().get(Q_B));
      double difference = 0;
      double norm = 0;
      for (int i = 0; i < exact.length; i++) {
        difference += Math.pow(mean[i] - exact[i], 2);
        norm += Math.pow(exact[i], 2);
      }
      assertThat(Math.sqrt(difference / norm)).isLessThan(0.1);
    }
  }

  @Test
  void aResumedModelGoesOnAsTheUninterruptedOne() {
    try (TunedModel straight = create(lora(0.1, "all-linear"), true);
        TunedModel resumed = create(lora(0.1, "all-linear"), true)) {
      step(straight, golden.trainBatch(0));
      step(straight, golden.trainBatch(1));
      resumed.restore(straight.adapter(), straight.optimizer());
      for (int s = 2; s < 5; s++) {
        assertThat(step(resumed, golden.trainBatch(s)))
            .isEqualTo(step(straight, golden.trainBatch(s)));
      }
      assertThat(GradientProbe.floats(resumed.adapter().get(Q_B)))
          .isEqualTo(GradientProbe.floats(straight.adapter().get(Q_B)));
    }
  }

  @Test
  void aCheckpointOfAnotherRunIsRefused() {
    try (TunedModel model = create(lora(0, "all-linear"), true);
        TunedModel fewer = create(lora(0, "q_proj"), true)) {
      assertThatThrownBy(() -> model.restore(fewer.adapter(), fewer.optimizer()))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("has no tensor base_model.model.model.layers.0.self_attn.k_proj");
      assertThatThrownBy(() -> fewer.restore(model.adapter(), model.optimizer()))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("that this run doesn't train");
    }
  }

  @Test
  void frozenWeightsStayBitForBit() throws Exception {
    byte[] before = Files.readAllBytes(golden.file("base/model.safetensors"));
    try (TunedModel model = create(lora(0.1, "all-linear"), true)) {
      TokenSums loss = model.evaluate(golden.trainBatch(3));
      Map<String, HostTensor> adapter = model.adapter();
      Map<String, HostTensor> optimizer = model.optimizer();
      for (int s = 0; s < 5; s++) {
        step(model, golden.trainBatch(s));
      }
      assertThat(model.evaluate(golden.trainBatch(3))).isNotEqualTo(loss);
      model.restore(adapter, optimizer);
      assertThat(model.evaluate(golden.trainBatch(3))).isEqualTo(loss);
    }
    assertThat(Files.readAllBytes(golden.file("base/model.safetensors"))).isEqualTo(before);
  }

  @Test
  void onlyTheTargetsTrain() {
    try (TunedModel model = create(lora(0, "v_proj", "model.layers.1.mlp.up_proj"), true)) {
      assertThat(model.adapter().keySet())
          .containsExactly(
              "base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight",
              "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight",
              "base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight",
              "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight",
              "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight",
              "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight");
      double first = step(model, golden.trainBatch(0));
      for (int s = 0; s < 10; s++) {
        step(model, golden.trainBatch(0));
      }
      assertThat(step(model, golden.trainBatch(0))).isLessThan(first);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void layersWithoutATargetPassTheGradientOn(boolean recompute) {
    LoraOptions lowest = lora(0, "model.layers.0.self_attn.q_proj");
    try (TunedModel all = create(lora(0, "all-linear"), false);
        TunedModel one = create(lowest, recompute)) {
      Map<String, HostTensor> start = new HashMap<>(one.adapter());
      start.replaceAll((name, tensor) -> all.adapter().get(name));
      one.restore(start, one.optimizer());
      Batch batch = golden.trainBatch(0);
      accumulate(all, batch, 1, 0);
      accumulate(one, batch, 1, 0);
      float[] expected = GradientProbe.floats(all.gradients().get(Q_B));
      float[] actual = GradientProbe.floats(one.gradients().get(Q_B));
      for (int i = 0; i < expected.length; i++) {
        assertThat(actual[i]).isCloseTo(expected[i], within(1e-4f));
      }
    }
  }

  @Test
  void anUnknownTargetIsRefusedWithTheLayersThereAre() {
    assertThatThrownBy(() -> create(lora(0, "q_proj", "query"), true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("'query'")
        .hasMessageContaining("q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj")
        .extracting(e -> ((TrainerException) e).exit())
        .isEqualTo(TrainerExit.USAGE);
  }

  @Test
  void aBatchWithoutSupervisedTokensHasNoLossAndNoGradient() {
    TokenizedExample row =
        new TokenizedExample("x:1", new int[] {1, 2, 3}, new int[] {-100, -100, -100});
    try (TunedModel model = create(lora(0.1, "all-linear"), true)) {
      assertThat(accumulate(model, Batch.of(List.of(row), 0), 5, 0)).isZero();
      assertThat(model.step(RATE)).isZero();
    }
  }

  @Test
  void aTokenWithoutAnEmbeddingIsRefused() {
    TokenizedExample row = new TokenizedExample("x:1", new int[] {1, 768}, new int[] {1, 768});
    try (TunedModel model = create(lora(0, "q_proj"), true)) {
      Batch batch = Batch.of(List.of(row), 0);
      assertThatThrownBy(() -> accumulate(model, batch, 1, 0))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("the token id 768")
          .hasMessageContaining("has 768 embeddings");
    }
  }

  @Test
  void aGradientThatIsNotFiniteChangesNothing() {
    try (TunedModel model = create(lora(0, "all-linear"), true)) {
      assertThat(model.firstNonFinite(golden.trainBatch(0))).isEmpty();
      Map<String, HostTensor> broken = new HashMap<>(model.adapter());
      float[] values = GradientProbe.floats(broken.get(Q_B));
      values[0] = Float.NaN;
      broken.put(Q_B, HostTensor.ofFloats(values, broken.get(Q_B).shape()));
      model.restore(broken, model.optimizer());
      Batch batch = golden.trainBatch(0);
      assertThat(model.firstNonFinite(batch)).contains("decoder layer 0");
      assertThat(accumulate(model, batch, 1, 0)).isNaN();
      assertThat(model.step(RATE)).isNaN();
      String k = Q_B.replace("q_proj", "k_proj");
      assertThat(GradientProbe.floats(model.adapter().get(k)))
          .isEqualTo(GradientProbe.floats(broken.get(k)));
    }
  }

  @Test
  void aGradientWhoseSquaresOverflowIsClippedToItsNorm() {
    try (TunedModel model = create(lora(0, "all-linear"), true)) {
      Batch batch = golden.trainBatch(0);
      accumulate(model, batch, 1, 0);
      double norm = model.step(0);
      LoraOptions huge = GoldenModel.lora(16e25, 0.0, LoraVariant.STANDARD, "all-linear");
      try (TunedModel overflowing = create(huge, true)) {
        accumulate(overflowing, batch, 1, 0);
        assertThat(overflowing.step(0)).isCloseTo(1e25 * norm, within(1e21 * norm));
      }
    }
  }

  @Test
  void parametersAreCounted() {
    try (TunedModel model = create(lora(0, "all-linear"), true)) {
      long base =
          SafetensorsReader.read(golden.file("base/model.safetensors")).values().stream()
              .mapToLong(HostTensor::elements)
              .sum();
      assertThat(model.parameters()).isEqualTo(new ParameterCounts(16384L, base + 16384));
    }
  }

  @Test
  void adapterConfigHasPeftsValuesAndNoKeyThatPeftLacks() throws Exception {
    JsonNode peft = golden.json("lora/final/adapter_config.json");
    try (TunedModel model = create(lora(0, "all-linear"), true);
        TunedModel some = create(lora(0, "model.layers.1.mlp.up_proj"), true)) {
      JsonNode ours = new ObjectMapper().readTree(model.adapterConfig().orElseThrow());
      ours.properties()
          .forEach(
              entry -> {
                assertThat(peft.has(entry.getKey())).as(entry.getKey()).isTrue();
                if (!List.of("target_modules", "base_model_name_or_path")
                    .contains(entry.getKey())) {
                  assertThat(entry.getValue().asText())
                      .as(entry.getKey())
                      .isEqualTo(peft.path(entry.getKey()).asText());
                }
              });
      assertThat(ours.path("target_modules").toString())
          .isEqualTo(
              "[\"down_proj\",\"gate_proj\",\"k_proj\",\"o_proj\",\"q_proj\",\"up_proj\","
                  + "\"v_proj\"]");
      assertThat(
              new ObjectMapper()
                  .readTree(some.adapterConfig().orElseThrow())
                  .path("target_modules")
                  .toString())
          .isEqualTo("[\"model.layers.1.mlp.up_proj\"]");
    }
  }

  @Test
  void thousandsOfStepsKeepNothingOpen() {
    long before = ScriptValue.open();
    try (TunedModel model = create(lora(0.1, "q_proj"), true)) {
      long open = ScriptValue.open();
      Batch batch = Batch.of(golden.rows("train").subList(0, 1), golden.padId());
      for (int s = 0; s < 2000; s++) {
        step(model, batch);
        if (s % 100 == 0) {
          model.evaluate(batch);
          assertThat(model.adapter()).hasSize(4);
        }
      }
      assertThat(ScriptValue.open()).isEqualTo(open);
      assertThat(model.openArrays()).isZero();
    }
    assertThat(ScriptValue.open()).isEqualTo(before);
  }
}
