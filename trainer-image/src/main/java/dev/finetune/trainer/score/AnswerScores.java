package dev.finetune.trainer.score;

import dev.finetune.api.v1alpha1.GenerationScore;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;

/** The scores of a model's answers, kept as sums, so that several ranks' can be added up. */
public final class AnswerScores {
  private static final int ANSWERS = 0;
  private static final int EXACT = 1;
  private static final int ROUGE_L = 2;
  private static final int BLEU = 3;

  private final double[] sums = new double[BLEU + Bleu.SUMS];

  /**
   * Takes an answer.
   *
   * @param answer what the model wrote
   * @param reference what the row has in its place
   */
  public void add(String answer, String reference) {
    sums[ANSWERS]++;
    sums[EXACT] += answer.strip().equals(reference.strip()) ? 1 : 0;
    sums[ROUGE_L] += RougeL.of(answer, reference);
    Bleu.add(sums, BLEU, answer, reference);
  }

  /** All that is known of the answers, to be added to another's. */
  public double[] sums() {
    return sums;
  }

  /**
   * The scores of all answers, 0 to 1; none where there was no answer.
   *
   * @param sums those of {@link #sums}, of one or of several added up
   * @param wanted which scores
   */
  public static Map<GenerationScore, Double> of(double[] sums, Collection<GenerationScore> wanted) {
    Map<GenerationScore, Double> scores = new EnumMap<>(GenerationScore.class);
    if (sums[ANSWERS] > 0) {
      for (GenerationScore score : wanted) {
        scores.put(score, of(sums, score));
      }
    }
    return scores;
  }

  private static double of(double[] sums, GenerationScore score) {
    return switch (score) {
      case EXACT_MATCH -> sums[EXACT] / sums[ANSWERS];
      case ROUGE_L -> sums[ROUGE_L] / sums[ANSWERS];
      case BLEU -> Bleu.of(sums, BLEU);
    };
  }
}
