package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.GenerationScore;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.score.AnswerScores;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Lets the model as it is now answer validation rows, taking the most likely token each time, and
 * compares its answers with the rows'. The rows are spread over the ranks.
 */
public final class AnswerScoring {
  /** For a run without scores. */
  public static final AnswerScoring NONE =
      new AnswerScoring(List.of(), List.of(), null, null, ids -> "");

  /** Tokens between two looks at whether the run was asked to stop. */
  private static final int TOKENS_BETWEEN_LOOKS = 16;

  private final List<GenerationScore> wanted;
  private final List<Question> questions;
  private final TextGenerator generator;
  private final SamplingOptions options;
  private final Function<int[], String> decoder;

  /** A row's tokens before its last answer with its pictures, and the answer's. */
  private record Question(int[] prompt, List<Picture> pictures, int[] answer) {
    /** Empty where the row has no prompt: all of it is learnt. */
    static Optional<Question> of(TokenizedExample row) {
      int[] labels = row.labels();
      int end = labels.length;
      while (end > 0 && labels[end - 1] == TokenizedExample.IGNORED) {
        end--;
      }
      int start = end;
      while (start > 0 && labels[start - 1] != TokenizedExample.IGNORED) {
        start--;
      }
      return start == 0
          ? Optional.empty()
          : Optional.of(
              new Question(
                  Arrays.copyOf(row.inputIds(), start),
                  row.pictures(),
                  Arrays.copyOfRange(row.inputIds(), start, end)));
    }
  }

  /** The run was asked to stop in the middle of an answer. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Names what is answered.
   *
   * @param wanted the scores
   * @param rows the rows, on every rank the same; one without a prompt is passed over
   * @param generator writes with the model that is trained
   * @param options how it writes
   * @param decoder the text of ids, without special tokens
   */
  public AnswerScoring(
      Collection<GenerationScore> wanted,
      List<TokenizedExample> rows,
      TextGenerator generator,
      SamplingOptions options,
      Function<int[], String> decoder) {
    this.wanted = List.copyOf(wanted);
    this.questions = rows.stream().map(Question::of).flatMap(Optional::stream).toList();
    this.generator = generator;
    this.options = options;
    this.decoder = decoder;
  }

  /** The scores, on every rank the same; empty when the run was asked to end before. */
  Optional<Map<GenerationScore, Double>> measure(Ranks ranks) {
    if (questions.isEmpty()) {
      return Optional.of(Map.of());
    }
    AnswerScores own = new AnswerScores();
    boolean complete = true;
    try {
      for (int i = ranks.rank(); i < questions.size(); i += ranks.count()) {
        Question question = questions.get(i);
        own.add(answer(question, ranks), decoder.apply(question.answer()));
      }
    } catch (Stopped e) {
      complete = false;
    }
    double[] incomplete = {complete ? 0 : 1};
    ranks.sum(incomplete);
    double[] sums = own.sums();
    ranks.sum(sums);
    return incomplete[0] > 0 ? Optional.empty() : Optional.of(AnswerScores.of(sums, wanted));
  }

  private String answer(Question question, Ranks ranks) {
    int[] written = {0};
    List<Integer> ids =
        generator.generate(
            question.prompt(),
            question.pictures(),
            options,
            token -> {
              if (written[0]++ % TOKENS_BETWEEN_LOOKS == 0 && ranks.stopRequested()) {
                throw new Stopped();
              }
            });
    return decoder.apply(ids.stream().mapToInt(Integer::intValue).toArray());
  }
}
