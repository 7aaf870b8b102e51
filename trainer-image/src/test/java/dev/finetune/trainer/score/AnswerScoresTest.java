package dev.finetune.trainer.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.finetune.api.v1alpha1.GenerationScore;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The numbers are those of rouge-score 0.1.2 and sacrebleu 2.6.0, in their own settings. */
class AnswerScoresTest {
  private static final List<String> ANSWERS =
      List.of(
          "The cat sat on the mat.",
          "It's 3.5% of $1,000,000 -- isn't it?",
          "Paris is the capital of France",
          "",
          "colour, na\u00efve fa\u00e7ade!");

  private static final List<String> REFERENCES =
      List.of(
          "The cat is on the mat.",
          "It is 3.5% of $1,000,000 - isn't it?",
          "The capital of France is Paris.",
          "Not empty.",
          "color, naive fa\u00e7ade!");

  @Test
  void rougeLIsRougeScores() {
    double[] expected = {
      0.8333333333333334, 0.9090909090909091, 0.6666666666666666, 0, 0.4444444444444445
    };
    for (int i = 0; i < expected.length; i++) {
      assertThat(RougeL.of(ANSWERS.get(i), REFERENCES.get(i)))
          .isEqualTo(expected[i], within(1e-12));
    }
  }

  @Test
  void bleuOfASentenceIsSacrebleus() {
    double[] expected = {
      0.4889230224349009, 0.47538527325677404, 0.29059254080791846, 0, 0.23643540225079385
    };
    for (int i = 0; i < expected.length; i++) {
      assertThat(bleu(i, i + 1)).isEqualTo(expected[i], within(1e-12));
    }
  }

  @Test
  void bleuOfACorpusIsSacrebleusAndNoMeanOfSentences() {
    assertThat(bleu(0, 5)).isEqualTo(0.3419510432647768, within(1e-12));
    assertThat(bleu(0, 3)).isEqualTo(0.41921817276293355, within(1e-12));
  }

  @Test
  void tokensAreThoseOf13a() {
    assertThat(String.join(" ", Bleu.tokens(ANSWERS.get(1))))
        .isEqualTo("It's 3.5 % of $ 1,000,000 -- isn't it ?");
    assertThat(String.join(" ", Bleu.tokens("a&amp;b &lt;x&gt; 1-2 -3 x.y 3.4 5. [z]~")))
        .isEqualTo("a & b < x > 1 - 2 -3 x . y 3.4 5 . [ z ] ~");
    assertThat(String.join(" ", Bleu.tokens("line\nnext-\nword <skipped>")))
        .isEqualTo("line nextword");
  }

  @Test
  void anExactMatchLooksAwayFromBlanksAroundOnly() {
    AnswerScores scores = new AnswerScores();
    scores.add(" Paris.\n", "Paris.");
    scores.add("paris.", "Paris.");

    assertThat(AnswerScores.of(scores.sums(), List.of(GenerationScore.EXACT_MATCH)))
        .isEqualTo(Map.of(GenerationScore.EXACT_MATCH, 0.5));
  }

  @Test
  void theSumsOfTwoRanksGiveTheScoresOfAll() {
    AnswerScores first = new AnswerScores();
    AnswerScores second = new AnswerScores();
    AnswerScores all = new AnswerScores();
    for (int i = 0; i < ANSWERS.size(); i++) {
      (i % 2 == 0 ? first : second).add(ANSWERS.get(i), REFERENCES.get(i));
      all.add(ANSWERS.get(i), REFERENCES.get(i));
    }
    double[] sums = first.sums().clone();
    for (int i = 0; i < sums.length; i++) {
      sums[i] += second.sums()[i];
    }

    List<GenerationScore> wanted = Arrays.asList(GenerationScore.values());
    assertThat(AnswerScores.of(sums, wanted)).isEqualTo(AnswerScores.of(all.sums(), wanted));
    assertThat(AnswerScores.of(new AnswerScores().sums(), wanted)).isEmpty();
  }

  private static double bleu(int first, int end) {
    AnswerScores scores = new AnswerScores();
    for (int i = first; i < end; i++) {
      scores.add(ANSWERS.get(i), REFERENCES.get(i));
    }
    return AnswerScores.of(scores.sums(), List.of(GenerationScore.BLEU)).get(GenerationScore.BLEU);
  }
}
