package dev.finetune.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What must hold for every method, and what only ours have. */
class TuningMethodsTest {
  private static final double RATE = 1e-3;

  /** tiny-llama has a head of its own, tiny-llama3 a tied one. */
  private static final String UNTIED = "tiny-llama";

  private static final String TIED = "tiny-llama3";

  private static final Map<String, Map<String, ?>> METHODS = methods();

  private static Map<String, Map<String, ?>> methods() {
    Map<String, Map<String, ?>> methods = new LinkedHashMap<>();
    methods.put("lora", lora());
    methods.put("lora of all", lora("targetModules", List.of("q_proj", "embed_tokens", "lm_head")));
    methods.put(
        "dora of all",
        lora("variant", "DoRA", "targetModules", List.of("v_proj", "embed_tokens", "lm_head")));
    methods.put("pissa", lora("initialization", "PiSSA"));
    methods.put("ia3", Map.of("method.ia3", Map.of()));
    methods.put("prefix", Map.of("method.prefixTuning.virtualTokens", 5));
    methods.put("prompt", Map.of("method.promptTuning.virtualTokens", 5));
    methods.put("adapter", Map.of("method.adapter.size", 16));
    methods.put("full", Map.of("method.full", Map.of()));
    methods.put("last layer", Map.of("method.full.lastLayers", 1));
    return methods;
  }

  /** Options of LoRA by name and value in turn, with a rank of 4 and no dropout. */
  private static Map<String, Object> lora(Object... options) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("method.lora.rank", 4);
    settings.put("method.lora.alpha", 8.0);
    settings.put("method.lora.dropout", 0.0);
    for (int i = 0; i < options.length; i += 2) {
      settings.put("method.lora." + options[i], options[i + 1]);
    }
    return settings;
  }

  static List<Arguments> everyMethodOnBothHeads() {
    List<Arguments> all = new ArrayList<>();
    for (String name : METHODS.keySet()) {
      all.add(Arguments.of(name, UNTIED));
      all.add(Arguments.of(name, TIED));
    }
    return all;
  }

  static List<Arguments> everyAdapterOnBothHeads() {
    return everyMethodOnBothHeads().stream()
        .filter(each -> !METHODS.get(each.get()[0]).keySet().toString().contains("full"))
        .toList();
  }

  static Set<String> everyMethod() {
    return METHODS.keySet();
  }

  private static TunedModel create(GoldenModel golden, Map<String, ?> method, boolean recompute) {
    return TunedModel.create(
        recipe(method, recompute), ModelFolder.open(golden.base()), "cpu", new SingleProcess());
  }

  private static Recipe recipe(Map<String, ?> method, boolean recompute) {
    return GoldenModel.recipe(method, 0.1, 1.0, recompute);
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

  private static void assertSame(Map<String, HostTensor> actual, Map<String, HostTensor> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, tensor) -> assertThat(actual.get(name).bytes()).as(name).isEqualTo(tensor.bytes()));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("everyMethodOnBothHeads")
  void whatIsFrozenStaysBitForBitAndTheRestTrains(String method, String name) throws IOException {
    GoldenModel golden = new GoldenModel(name);
    byte[] before = Files.readAllBytes(golden.file("base/model.safetensors"));
    Batch batch = golden.trainBatch(0);
    try (TunedModel model = create(golden, METHODS.get(method), true)) {
      Map<String, HostTensor> start = model.adapter();
      Map<String, HostTensor> optimizer = model.optimizer();
      TokenSums loss = model.evaluate(batch);
      double first = step(model, batch);
      for (int s = 0; s < 4; s++) {
        step(model, batch);
      }
      assertThat(step(model, batch)).isLessThan(first);
      Map<String, HostTensor> end = model.adapter();
      start.forEach(
          (tensor, values) ->
              assertThat(GradientProbe.floats(end.get(tensor)))
                  .as(tensor)
                  .isNotEqualTo(GradientProbe.floats(values)));
      model.restore(start, optimizer);
      assertThat(model.evaluate(batch)).isEqualTo(loss);
    }
    assertThat(Files.readAllBytes(golden.file("base/model.safetensors"))).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "lora of all", "dora of all", "pissa", "ia3", "adapter", "full"})
  void whatStartsNeutralChangesNothing(String method) {
    GoldenModel golden = new GoldenModel(TIED);
    double base = golden.data().path("eval_loss_base").asDouble();
    try (TunedModel model = create(golden, METHODS.get(method), false)) {
      List<Batch> batches = golden.evalBatches(4);
      double loss =
          batches.stream().mapToDouble(batch -> model.evaluate(batch).nll()).sum()
              / batches.stream().mapToLong(Batch::supervisedTokens).sum();
      assertThat(loss).isCloseTo(base, within(3e-6));
    }
  }

  @ParameterizedTest
  @MethodSource("everyMethod")
  void theSameRowsInOtherBatchesGiveTheSameLossesAndFirstGradients(String method) {
    GoldenModel golden = new GoldenModel(TIED);
    List<TokenizedExample> rows = golden.rows("train").subList(0, 8);
    List<List<Double>> runs = new ArrayList<>();
    List<Map<String, HostTensor>> gradients = new ArrayList<>();
    for (int size : new int[] {8, 4, 2, 1}) {
      Batch[] batches = new Batch[8 / size];
      for (int k = 0; k < batches.length; k++) {
        batches[k] = Batch.of(rows.subList(k * size, (k + 1) * size), golden.padId());
      }
      try (TunedModel model = create(golden, METHODS.get(method), size % 2 == 0)) {
        long tokens = Arrays.stream(batches).mapToLong(Batch::supervisedTokens).sum();
        model.accumulate(List.of(batches), tokens, micro -> 7, () -> false);
        gradients.add(model.gradients());
        model.step(0);
        runs.add(List.of(step(model, batches), step(model, batches), step(model, batches)));
      }
    }
    for (int run = 1; run < runs.size(); run++) {
      for (int s = 0; s < 3; s++) {
        assertThat(runs.get(run).get(s)).isCloseTo(runs.get(0).get(s), within(2e-5));
      }
      Map<String, HostTensor> found = gradients.get(run);
      gradients
          .get(0)
          .forEach(
              (name, tensor) ->
                  assertThat(GradientProbe.floats(found.get(name)))
                      .as(name)
                      .containsExactly(GradientProbe.floats(tensor), within(2e-5f)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"adapter", "lora of all", "prompt"})
  void gradientsAreTheSlopeOfTheLoss(String method) {
    GoldenModel golden = new GoldenModel(TIED);
    try (TunedModel model = create(golden, METHODS.get(method), true)) {
      step(model, golden.trainBatch(0));
      step(model, golden.trainBatch(1));
      Batch batch = golden.trainBatch(2);
      model.accumulate(List.of(batch), 1, micro -> 0, () -> false);
      Map<String, HostTensor> gradients = model.gradients();
      Map<String, HostTensor> values = model.adapter();
      Map<String, HostTensor> optimizer = model.optimizer();
      gradients.forEach(
          (name, gradient) -> {
            int i = GradientProbe.indexOfLargest(gradient);
            float delta = 0.003f;
            double up = GradientProbe.lossWith(model, values, optimizer, name, i, delta, batch);
            double down = GradientProbe.lossWith(model, values, optimizer, name, i, -delta, batch);
            double slope = gradient.floats().get(i);
            assertThat((up - down) / (2 * delta))
                .as(name)
                .isCloseTo(slope, within(5e-3 * Math.abs(slope) + 2e-2));
          });
    }
  }

  @ParameterizedTest
  @MethodSource("everyMethod")
  void aResumedModelGoesOnAsTheUninterruptedOne(String method) {
    GoldenModel golden = new GoldenModel(TIED);
    try (TunedModel straight = create(golden, METHODS.get(method), true);
        TunedModel resumed = create(golden, METHODS.get(method), true)) {
      step(straight, golden.trainBatch(0));
      step(straight, golden.trainBatch(1));
      resumed.restore(straight.adapter(), straight.optimizer());
      for (int s = 2; s < 4; s++) {
        assertThat(step(resumed, golden.trainBatch(s)))
            .isEqualTo(step(straight, golden.trainBatch(s)));
      }
      assertSame(resumed.adapter(), straight.adapter());
      assertSame(resumed.optimizer(), straight.optimizer());
    }
  }

  /** The saved folder, run with keys and values kept, says what the model in training would say. */
  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("everyAdapterOnBothHeads")
  void aSavedAdapterSaysWhatTheModelInTrainingDoes(String method, String name, @TempDir Path dir)
      throws IOException {
    GoldenModel golden = new GoldenModel(name);
    try (TunedModel model = create(golden, METHODS.get(method), true)) {
      for (int s = 0; s < 5; s++) {
        step(model, golden.trainBatch(s));
      }
      save(model, dir);
      int[] prompt = Arrays.copyOf(golden.rows("eval").get(0).inputIds(), 6);
      List<Integer> expected = greedy(model, prompt, 8);
      try (CausalLm base = CausalLm.load(ModelFolder.open(golden.base()), "cpu", Precision.AUTO);
          TextGenerator generator = SavedAdapter.load(dir).on(base)) {
        assertThat(generator.generate(prompt, SamplingOptions.greedy(8, Set.of()), token -> {}))
            .isEqualTo(expected);
      }
    }
  }

  private static void save(TunedModel model, Path dir) throws IOException {
    Files.writeString(dir.resolve("adapter_config.json"), model.adapterConfig().orElseThrow());
    write(dir.resolve("adapter_model.safetensors"), model.adapter());
  }

  private static void write(Path file, Map<String, HostTensor> tensors) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      SafetensorsWriter.write(channel, tensors);
    }
  }

  /** By computing all positions again for every token. */
  private static List<Integer> greedy(TunedModel model, int[] prompt, int count) {
    List<Integer> tokens = new ArrayList<>();
    long[] ids = Arrays.stream(prompt).asLongStream().toArray();
    for (int i = 0; i < count; i++) {
      HostTensor logits =
          model.base().logits(model.scriptModel(), HostTensor.ofLongs(ids, 1, ids.length));
      int vocabulary = (int) logits.shape()[2];
      assertThat(logits.shape()[1]).isEqualTo(ids.length);
      FloatBuffer last = logits.floats().slice((ids.length - 1) * vocabulary, vocabulary);
      int best = 0;
      for (int token = 1; token < vocabulary; token++) {
        best = last.get(token) > last.get(best) ? token : best;
      }
      tokens.add(best);
      ids = Arrays.copyOf(ids, ids.length + 1);
      ids[ids.length - 1] = best;
    }
    return tokens;
  }

  @Test
  void pissaIsSavedAsAPlainAdapterOfTwiceTheRank() throws IOException {
    GoldenModel golden = new GoldenModel(TIED);
    Batch batch = golden.trainBatch(3);
    try (TunedModel pissa = create(golden, METHODS.get("pissa"), true)) {
      for (int s = 0; s < 3; s++) {
        step(pissa, golden.trainBatch(s));
      }
      JsonNode config = new ObjectMapper().readTree(pissa.adapterConfig().orElseThrow());
      assertThat(config.path("r").asInt()).isEqualTo(8);
      assertThat(config.path("lora_alpha").asInt()).isEqualTo(16);
      Map<String, Object> plain = lora("rank", 8, "alpha", 16.0);
      try (TunedModel lora = create(golden, plain, true)) {
        lora.restore(pissa.adapter(), lora.optimizer());
        assertThat(lora.evaluate(batch).nll()).isCloseTo(pissa.evaluate(batch).nll(), within(1e-3));
      }
    }
  }

  @Test
  void pissaStartsFromTheLargestSingularValues() {
    GoldenModel golden = new GoldenModel(UNTIED);
    try (TunedModel pissa = create(golden, METHODS.get("pissa"), true)) {
      String layer = "model.layers.0.mlp.up_proj";
      HostTensor w = golden.tensors("base/model.safetensors").get(layer + ".weight");
      Map<String, HostTensor> tensors = pissa.values().tensors();
      HostTensor a = tensors.get("base_model.model." + layer + ".lora_A.weight");
      HostTensor b = tensors.get("base_model.model." + layer + ".lora_B.weight");
      // |W|^2 = |W - s B A|^2 + |s B A|^2, for B A is a projection of W; and the four largest of 64
      // singular values have more than their share.
      double all = 0;
      double kept = 0;
      double rest = 0;
      for (int i = 0; i < w.shape()[0]; i++) {
        for (int j = 0; j < w.shape()[1]; j++) {
          double product = 0;
          for (int k = 0; k < 4; k++) {
            product += 2 * b.floats().get(4 * i + k) * a.floats().get((int) w.shape()[1] * k + j);
          }
          double value = w.floats().get((int) w.shape()[1] * i + j);
          all += value * value;
          kept += product * product;
          rest += (value - product) * (value - product);
        }
      }
      assertThat(kept + rest).isCloseTo(all, within(1e-4 * all));
      assertThat(kept).isGreaterThan(1.5 * all * 4 / 64);
    }
  }

  @Test
  void aRankBeyondTheSingularVectorsIsRefused() {
    GoldenModel golden = new GoldenModel(UNTIED);
    assertThatThrownBy(() -> create(golden, lora("initialization", "PiSSA", "rank", 40), true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("the rank 40, and model.layers.0.self_attn.k_proj has 32");
  }

  @Test
  void patternsChangeRankAndAlphaOfWhatTheyMatch() throws IOException {
    GoldenModel golden = new GoldenModel(UNTIED);
    Map<String, Object> patterns =
        lora(
            "rankPattern",
            Map.of("layers.1.*down_proj", 2),
            "alphaPattern",
            Map.of("q_proj", 3.0),
            "targetModules",
            List.of("q_proj", "down_proj"));
    try (TunedModel model = create(golden, patterns, true)) {
      Map<String, HostTensor> tensors = model.adapter();
      String prefix = "base_model.model.model.layers.";
      assertThat(tensors.get(prefix + "0.mlp.down_proj.lora_A.weight").shape()[0]).isEqualTo(4);
      assertThat(tensors.get(prefix + "1.mlp.down_proj.lora_A.weight").shape()[0]).isEqualTo(2);
      assertThat(
              TuningMethod.of(recipe(patterns, true), ModelFolder.open(golden.base()))
                  .tuning()
                  .scales())
          .containsEntry("model.layers.1.mlp.down_proj", 4.0)
          .containsEntry("model.layers.0.mlp.down_proj", 2.0)
          .containsEntry("model.layers.0.self_attn.q_proj", 0.75);
      JsonNode config = new ObjectMapper().readTree(model.adapterConfig().orElseThrow());
      assertThat(config.path("rank_pattern").path("layers.1.*down_proj").asInt()).isEqualTo(2);
      assertThat(config.path("alpha_pattern").path("q_proj").asInt()).isEqualTo(3);
    }
    assertThatThrownBy(() -> create(golden, lora("rankPattern", Map.of("proj", 2)), true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("rankPattern names no adapted layer with 'proj'");
    assertThatThrownBy(() -> create(golden, lora("alphaPattern", Map.of("(", 2.0)), true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("'(' is no regular expression");
  }

  @Test
  void loraPlusStepsBAndTheEmbeddingAtRatesOfTheirOwn() {
    GoldenModel golden = new GoldenModel(UNTIED);
    Map<String, Object> plus =
        lora("learningRateRatio", 4.0, "targetModules", List.of("q_proj", "embed_tokens"));
    try (TunedModel model = create(golden, plus, true)) {
      step(model, golden.trainBatch(0));
      Map<String, HostTensor> tensors = model.adapter();
      // AdamW's first step is the rate, whatever the gradient, but for what decays, of zeros
      // nothing.
      assertThat(largest(tensors, "layers.0.self_attn.q_proj.lora_B.weight"))
          .isCloseTo(4 * RATE, within(1e-6));
      assertThat(largest(tensors, "embed_tokens.lora_embedding_A")).isCloseTo(1e-6, within(1e-8));
    }
  }

  private static double largest(Map<String, HostTensor> tensors, String end) {
    String name =
        tensors.keySet().stream().filter(key -> key.endsWith(end)).findFirst().orElseThrow();
    double largest = 0;
    for (float value : GradientProbe.floats(tensors.get(name))) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  @Test
  void weightDecayIsOnMatricesOnly() {
    TokenizedExample nothing =
        new TokenizedExample("x:1", new int[] {1, 2, 3}, new int[] {-100, -100, -100});
    GoldenModel golden = new GoldenModel("tiny-qwen2");
    try (TunedModel model = create(golden, METHODS.get("full"), true)) {
      Map<String, HostTensor> start = model.adapter();
      model.accumulate(List.of(Batch.of(List.of(nothing), 0)), 1, micro -> 0, () -> false);
      assertThat(model.step(0.5)).isZero();
      model
          .adapter()
          .forEach(
              (name, tensor) -> {
                float before = GradientProbe.floats(start.get(name))[0];
                float after = tensor.floats().get(0);
                // 1 - 0.5 * 0.1 of a matrix; norms and biases stay.
                float expected = tensor.shape().length == 1 ? before : before * 0.95f;
                assertThat(after).as(name).isCloseTo(expected, within(1e-6f));
              });
    }
  }

  @Test
  void aMatrixThatNoGradientReachesEndsTheRun(@TempDir Path dir) throws IOException {
    GoldenModel golden = new GoldenModel(UNTIED);
    Map<String, HostTensor> weights =
        new LinkedHashMap<>(SafetensorsReader.read(golden.file("base/model.safetensors")));
    String output = "model.layers.1.self_attn.o_proj.weight";
    long[] shape = weights.get(output).shape();
    weights.put(output, HostTensor.ofFloats(new float[(int) (shape[0] * shape[1])], shape));
    write(dir.resolve("model.safetensors"), weights);
    Files.copy(golden.file("base/config.json"), dir.resolve("config.json"));
    Recipe recipe = recipe(lora("targetModules", List.of("q_proj")), true);
    try (TunedModel model =
        TunedModel.create(recipe, ModelFolder.open(dir), "cpu", new SingleProcess())) {
      Batch batch = golden.trainBatch(0);
      model.accumulate(List.of(batch), 1, micro -> 0, () -> false);
      model.step(0);
      assertThatThrownBy(() -> step(model, batch))
          .isInstanceOfSatisfying(
              TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.MODEL))
          .hasMessageContaining("model.layers.1.self_attn.q_proj.lora_B is still zero");
    }
  }

  @Test
  void fullFineTuningInBf16KeepsFloat32Weights() {
    GoldenModel golden = new GoldenModel(TIED);
    Map<String, Object> settings = new HashMap<>(METHODS.get("full"));
    settings.put("training.precision", "BF16");
    try (TunedModel model = create(golden, settings, true)) {
      double first = step(model, golden.trainBatch(0));
      double last = first;
      for (int s = 0; s < 6; s++) {
        last = step(model, golden.trainBatch(0));
      }
      assertThat(last).isLessThan(first);
      long beyondBf16 = 0;
      float[] values =
          GradientProbe.floats(model.adapter().get("model.layers.0.mlp.up_proj.weight"));
      for (float value : values) {
        beyondBf16 += (Float.floatToRawIntBits(value) & 0xFFFF) == 0 ? 0 : 1;
      }
      assertThat(beyondBf16).isGreaterThan(values.length / 2);
    }
  }

  @Test
  void lastLayersTrainWithTheHeadAndATiedHeadWithTheEmbedding() {
    Map<String, Object> last = Map.of("method.full.lastLayers", 1);
    try (TunedModel model = create(new GoldenModel(UNTIED), last, true)) {
      assertThat(model.adapter().keySet())
          .allMatch(
              name ->
                  name.startsWith("model.layers.1.")
                      || name.equals("model.norm.weight")
                      || name.equals("lm_head.weight"))
          .hasSize(11);
    }
    try (TunedModel model = create(new GoldenModel(TIED), last, true)) {
      assertThat(model.adapter().keySet())
          .contains("model.embed_tokens.weight", "model.norm.weight")
          .doesNotContain("lm_head.weight")
          .hasSize(11);
    }
    assertThatThrownBy(
            () -> create(new GoldenModel(TIED), Map.of("method.full.lastLayers", 3), true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("full.lastLayers is 3, and the model has 2 layers");
  }

  @Test
  void aPromptStartsFromATextsEmbeddingsRepeatedOrCut() {
    GoldenModel golden = new GoldenModel(UNTIED);
    Map<String, Object> text =
        Map.of(
            "method.promptTuning.virtualTokens", 7, "method.promptTuning.initialText", "a b a b");
    try (TunedModel model = create(golden, text, true)) {
      HostTensor prompt = model.adapter().get("prompt_embeddings");
      int size = (int) prompt.shape()[1];
      float[] values = GradientProbe.floats(prompt);
      int[] ids;
      try (Tokenizer tokenizer = Tokenizer.load(golden.base())) {
        ids = tokenizer.encode("a b a b");
      }
      float[] embeddings =
          GradientProbe.floats(
              golden.tensors("base/model.safetensors").get("model.embed_tokens.weight"));
      for (int i = 0; i < 7; i++) {
        int id = ids[i % ids.length];
        assertThat(Arrays.copyOfRange(values, i * size, (i + 1) * size))
            .isEqualTo(Arrays.copyOfRange(embeddings, id * size, (id + 1) * size));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"prefix", "prompt"})
  void virtualTokensAndPackedRowsAreRefusedTogether(String method) {
    Map<String, Object> packed = new HashMap<>(METHODS.get(method));
    packed.put("training.packing", true);
    assertThatThrownBy(() -> create(new GoldenModel(UNTIED), packed, true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("packed rows share a sequence");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pissa", "full"})
  void quantizedWeightsThatWouldChangeAreRefused(String method) {
    Map<String, Object> quantized = new HashMap<>(METHODS.get(method));
    quantized.put("model.quantization", "NF4");
    assertThatThrownBy(() -> create(new GoldenModel(UNTIED), quantized, true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("NF4 stores");
  }

  @Test
  void feedforwardModulesMustBeTargets() {
    Map<String, Object> others =
        Map.of(
            "method.ia3.targetModules", List.of("k_proj"),
            "method.ia3.feedforwardModules", List.of("down_proj"));
    assertThatThrownBy(() -> create(new GoldenModel(UNTIED), others, true))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("which don't name [model.layers.0.mlp.down_proj");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ia3", "prefix", "prompt"})
  void adapterConfigsHavePeftsValuesAndNoKeyThatPeftLacks(String method) throws IOException {
    GoldenModel golden = new GoldenModel(UNTIED);
    JsonNode peft = golden.json(method + "/final/adapter_config.json");
    Recipe recipe =
        GoldenModel.recipe(golden.json(method + "/trace.json").path("hyper"), method, true);
    TuningMethod ours = TuningMethod.of(recipe, ModelFolder.open(golden.base()));
    JsonNode config = new ObjectMapper().readTree(ours.config().orElseThrow());
    config
        .properties()
        .forEach(
            entry -> {
              assertThat(peft.has(entry.getKey())).as(entry.getKey()).isTrue();
              if (!entry.getKey().equals("base_model_name_or_path")) {
                assertThat(entry.getValue().toString())
                    .as(entry.getKey())
                    .isEqualTo(peft.path(entry.getKey()).toString());
              }
            });
  }
}
