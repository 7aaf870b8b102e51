package dev.finetune.trainer.train;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.method.TrainableModel;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Measures the validation loss: a mean over tokens, so that it doesn't depend on the batch size.
 * The batches are spread over the ranks.
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
   * The mean negative log-likelihood of a supervised token, in nats, on every rank the same; empty
   * when the run was asked to end before all rows were seen.
   */
  OptionalDouble loss(int step) {
    double nll = 0;
    boolean complete = true;
    List<TokenizedExample> rows = List.of();
    for (int i = ranks.rank(); i < batches.size() && Double.isFinite(nll); i += ranks.count()) {
      if (ranks.stopRequested()) {
        complete = false;
        break;
      }
      rows = batches.get(i).examples();
      nll += model.evaluate(batches.get(i));
    }
    Ranks.Sums sums = ranks.sum(complete, nll, 0, 0);
    NonFinite.refuse(WHAT, nll, step, rows);
    sums.refuseNonFinite(WHAT, step);
    return sums.complete() ? OptionalDouble.of(sums.nll() / tokens) : OptionalDouble.empty();
  }
}
