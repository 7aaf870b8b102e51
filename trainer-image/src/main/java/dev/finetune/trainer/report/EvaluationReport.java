package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.GenerationScore;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * One evaluation of the validation rows. All numbers are means over their supervised tokens, so
 * neither the batch size nor the number of ranks changes them.
 *
 * @param step optimizer steps done
 * @param epoch passes over the data so far, with the fraction of the running one
 * @param loss mean negative log-likelihood of a token, in nats
 * @param tokenAccuracy share of the tokens that the model finds most likely, 0 to 1
 * @param scores of the answers that the model wrote, 0 to 1; none where the recipe asks for none
 */
public record EvaluationReport(
    int step,
    double epoch,
    double loss,
    double tokenAccuracy,
    Map<GenerationScore, Double> scores) {
  public EvaluationReport {
    scores = Collections.unmodifiableMap(new TreeMap<>(scores));
  }

  /** One without answers. */
  public EvaluationReport(int step, double epoch, double loss, double tokenAccuracy) {
    this(step, epoch, loss, tokenAccuracy, Map.of());
  }

  /** exp of the loss: among how many tokens, equally likely, the model seems to choose. */
  public double perplexity() {
    return Math.exp(loss);
  }
}
