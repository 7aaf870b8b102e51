package dev.finetune.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.GenerationScore;
import dev.finetune.api.v1alpha1.LoraVariant;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.distributed.SingleProcess;
import dev.finetune.trainer.method.GoldenModel;
import dev.finetune.trainer.method.TunedModel;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.SamplingOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AnswerScoringTest {
  private static final int MAX_NEW = 16;

  private final GoldenModel golden = new GoldenModel("tiny-llama");
  private final int[] prompt = prompt();
  private final StopSignal stop = new StopSignal();

  @Test
  void theModelBeingTrainedAnswersEachRowsPrompt() {
    // What transformers' base model says, and what PEFT's trained one says, to the same prompt.
    int[] untrained = GoldenModel.ints(golden.data().path("greedy_base_ids"));
    int[] trained = GoldenModel.ints(golden.json("lora/trace.json").path("greedy_final_ids"));
    assertThat(trained).isNotEqualTo(untrained);
    List<TokenizedExample> rows = List.of(row(untrained), row(trained), row(trained));

    try (TunedModel model =
        TunedModel.create(
            GoldenModel.recipe(
                GoldenModel.lora(0, LoraVariant.STANDARD, "all-linear"), 0, 0, false),
            ModelFolder.open(golden.base()),
            "cpu",
            new SingleProcess())) {
      AnswerScoring scoring = scoring(rows, model);
      assertThat(measure(scoring)).isEqualTo(Map.of(GenerationScore.EXACT_MATCH, 1 / 3.0));

      model.restore(golden.tensors("lora/final/adapter_model.safetensors"), model.optimizer());
      assertThat(measure(scoring)).isEqualTo(Map.of(GenerationScore.EXACT_MATCH, 2 / 3.0));

      stop.request();
      assertThat(scoring.measure(new Ranks(new SingleProcess(), stop, "here"))).isEmpty();
    }
  }

  private static Map<GenerationScore, Double> measure(AnswerScoring scoring) {
    return scoring.measure(new Ranks(new SingleProcess(), new StopSignal(), "here")).orElseThrow();
  }

  private AnswerScoring scoring(List<TokenizedExample> rows, TunedModel model) {
    int end = golden.data().path("settings").path("eos_token_id").asInt();
    return new AnswerScoring(
        List.of(GenerationScore.EXACT_MATCH),
        rows,
        model.generator().orElseThrow(),
        SamplingOptions.greedy(MAX_NEW, Set.of(end)),
        Arrays::toString);
  }

  /** The prompt, an earlier answer in it, and an answer. */
  private TokenizedExample row(int[] answer) {
    int[] ids = IntStream.concat(Arrays.stream(prompt), Arrays.stream(answer)).toArray();
    int[] labels = ids.clone();
    Arrays.fill(labels, 0, prompt.length, TokenizedExample.IGNORED);
    labels[1] = ids[1];
    return new TokenizedExample("eval:1", ids, labels);
  }

  private int[] prompt() {
    int length = golden.data().path("eval").path(0).path("prompt_tokens").asInt();
    return Arrays.copyOf(golden.rows("eval").get(0).inputIds(), length);
  }
}
