package dev.finetune.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.Precision;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.method.LoraAdapter;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TextGeneratorTest {
  private static final int MAX_NEW = 16;

  @ParameterizedTest
  @MethodSource("dev.finetune.trainer.method.GoldenModel#names")
  void greedyTextOfTheBaseModelIsTransformers(String name) {
    GoldenModel golden = new GoldenModel(name);
    try (CausalLm base = load(golden);
        TextGenerator generator = TextGenerator.of(base)) {
      List<Integer> seen = new ArrayList<>();
      List<Integer> text = generator.generate(prompt(golden), greedy(golden), seen::add);
      assertThat(text).isEqualTo(ids(golden, "data.json", "greedy_base_ids"));
      assertThat(seen).isEqualTo(text);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.finetune.trainer.method.GoldenModel#names")
  void greedyTextWithPeftsAdapterIsPefts(String name) {
    GoldenModel golden = new GoldenModel(name);
    for (String variant : List.of("lora", "rslora", "lora_cosine_clip_wd")) {
      try (CausalLm base = load(golden);
          TextGenerator generator = LoraAdapter.load(golden.file(variant + "/final")).on(base)) {
        assertThat(generator.generate(prompt(golden), greedy(golden), token -> {}))
            .as(variant)
            .isEqualTo(ids(golden, variant + "/trace.json", "greedy_final_ids"));
      }
    }
  }

  @Test
  void theSameSeedDrawsTheSameTextAndAnotherSeedAnother() {
    GoldenModel golden = new GoldenModel("tiny-llama");
    try (CausalLm base = load(golden);
        TextGenerator generator = TextGenerator.of(base)) {
      List<List<Integer>> texts = new ArrayList<>();
      for (long seed : new long[] {1, 1, 2}) {
        SamplingOptions options = new SamplingOptions(MAX_NEW, 1.5, 0, 1, seed, Set.of());
        texts.add(generator.generate(prompt(golden), options, token -> {}));
      }
      assertThat(texts.get(0)).isEqualTo(texts.get(1)).hasSize(MAX_NEW);
      assertThat(texts.get(2)).isNotEqualTo(texts.get(0));
    }
  }

  @Test
  void cutToOneTokenASampleIsTheMostLikelyToken() {
    GoldenModel golden = new GoldenModel("tiny-llama");
    try (CausalLm base = load(golden);
        TextGenerator generator = TextGenerator.of(base)) {
      List<Integer> greedy = generator.generate(prompt(golden), greedy(golden), token -> {});
      Set<Integer> stop = greedy(golden).stopIds();
      SamplingOptions topK = new SamplingOptions(MAX_NEW, 2, 1, 1, 7, stop);
      SamplingOptions topP = new SamplingOptions(MAX_NEW, 2, 0, 1e-6, 7, stop);
      assertThat(generator.generate(prompt(golden), topK, token -> {})).isEqualTo(greedy);
      assertThat(generator.generate(prompt(golden), topP, token -> {})).isEqualTo(greedy);
    }
  }

  @Test
  void samplingFollowsTheProbabilities() {
    GoldenModel golden = new GoldenModel("tiny-llama");
    int draws = 300;
    try (CausalLm base = load(golden);
        TextGenerator generator = TextGenerator.of(base)) {
      int best = generator.generate(prompt(golden), greedy(golden), token -> {}).get(0);
      long hits = 0;
      for (int seed = 0; seed < draws; seed++) {
        SamplingOptions options = new SamplingOptions(1, 1, 2, 1, seed, Set.of());
        hits += generator.generate(prompt(golden), options, token -> {}).get(0) == best ? 1 : 0;
      }
      double expected = probabilityOfTheBetterOfTwo(base, prompt(golden));
      // Five standard deviations of a binomial.
      double tolerance = 5 * Math.sqrt(expected * (1 - expected) / draws);
      assertThat((double) hits / draws).isBetween(expected - tolerance, expected + tolerance);
    }
  }

  private static double probabilityOfTheBetterOfTwo(CausalLm base, int[] prompt) {
    long[] ids = Arrays.stream(prompt).asLongStream().toArray();
    try (ScriptValue model = base.untuned()) {
      HostTensor logits = base.logits(model, HostTensor.ofLongs(ids, 1, ids.length));
      int vocabulary = (int) logits.shape()[2];
      float[] last = new float[vocabulary];
      logits.floats().get((ids.length - 1) * vocabulary, last);
      Arrays.sort(last);
      return 1 / (1 + Math.exp(last[vocabulary - 2] - last[vocabulary - 1]));
    }
  }

  @Test
  void textEndsWithTheModelsPositions() {
    GoldenModel golden = new GoldenModel("tiny-llama");
    int positions = 512;
    int[] prompt = new int[positions - 3];
    Arrays.fill(prompt, 5);
    try (CausalLm base = load(golden);
        TextGenerator generator = TextGenerator.of(base)) {
      SamplingOptions options = SamplingOptions.greedy(100, Set.of());
      assertThat(generator.generate(prompt, options, token -> {})).hasSize(3);
      assertThatThrownBy(() -> generator.generate(new int[positions], options, token -> {}))
          .isInstanceOf(TrainerException.class)
          .hasMessageContaining("the prompt has 512 tokens");
    }
  }

  private static CausalLm load(GoldenModel golden) {
    return CausalLm.load(ModelFolder.open(golden.base()), "cpu", Precision.AUTO);
  }

  private static int[] prompt(GoldenModel golden) {
    TokenizedExample row = golden.rows("eval").get(0);
    int length = golden.data().path("eval").path(0).path("prompt_tokens").asInt();
    return Arrays.copyOf(row.inputIds(), length);
  }

  private static SamplingOptions greedy(GoldenModel golden) {
    int stop = golden.data().path("settings").path("eos_token_id").asInt();
    return SamplingOptions.greedy(MAX_NEW, Set.of(stop));
  }

  private static List<Integer> ids(GoldenModel golden, String file, String key) {
    return Arrays.stream(GoldenModel.ints(golden.json(file).path(key))).boxed().toList();
  }
}
