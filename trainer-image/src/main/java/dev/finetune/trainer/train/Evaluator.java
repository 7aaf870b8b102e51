package dev.finetune.trainer.train;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.method.TokenSums;
import dev.finetune.trainer.method.TrainableModel;
import java.util.List;
import java.util.Optional;

/**
 * Measures the model on the validation rows: means over tokens, so that they don't depend on the
 * batch size. The batches are spread over the ranks.
 */
final class Evaluator {
  private static final String WHAT = "validation loss";

  private final TrainableModel model;
  private final List<Batch> batches;
  private final Ranks ranks;
  private final long tokens;

  /**
   * @param batches all of them, on every rank
   */
  Evaluator(TrainableModel model, List<Batch> batches, Ranks ranks) {
    this.model = model;
    this.batches = batches;
    this.ranks = ranks;
    this.tokens = batches.stream().mapToLong(Batch::supervisedTokens).sum();
  }

  /**
   * What an evaluation found, on every rank the same.
   *
   * @param loss mean negative log-likelihood of a supervised token, in nats
   * @param tokenAccuracy share of the supervised tokens that the model finds most likely
   */
  record Scores(double loss, double tokenAccuracy) {}

  /** Evaluates; empty when the run was asked to end before all rows were seen. */
  Optional<Scores> evaluate(int step) {
    double nll = 0;
    long correct = 0;
    boolean complete = true;
    List<TokenizedExample> rows = List.of();
    for (int i = ranks.rank(); i < batches.size() && Double.isFinite(nll); i += ranks.count()) {
      if (ranks.stopRequested()) {
        complete = false;
        break;
      }
      rows = batches.get(i).examples();
      TokenSums sums = model.evaluate(batches.get(i));
      nll += sums.nll();
      correct += sums.correct();
    }
    Ranks.Sums sums = ranks.sum(complete, new TokenSums(nll, correct), 0, 0);
    if (!Double.isFinite(sums.nll())) {
      List<TokenizedExample> own = Double.isFinite(nll) ? List.of() : rows;
      throw new NonFinite(WHAT, sums.nll(), step, own, Optional.empty()).failure();
    }
    return sums.complete()
        ? Optional.of(new Scores(sums.nll() / tokens, (double) sums.correct() / tokens))
        : Optional.empty();
  }
}
