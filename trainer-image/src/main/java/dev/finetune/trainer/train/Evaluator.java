package dev.finetune.trainer.train;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.method.TrainableModel;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Measures the validation loss: a mean over tokens, so that it doesn't depend on the batch size.
 */
final class Evaluator {
  private final TrainableModel model;
  private final List<Batch> batches;
  private final StopSignal stop;

  Evaluator(TrainableModel model, List<Batch> batches, StopSignal stop) {
    this.model = model;
    this.batches = batches;
    this.stop = stop;
  }

  /**
   * The mean negative log-likelihood of a supervised token, in nats; empty when the run was asked
   * to end before all rows were seen.
   */
  OptionalDouble loss(int step) {
    double sum = 0;
    long tokens = 0;
    for (Batch batch : batches) {
      if (stop.requested()) {
        return OptionalDouble.empty();
      }
      double nll = model.evaluate(batch);
      NonFinite.refuse("validation loss", nll, step, batch.examples());
      sum += nll;
      tokens += batch.supervisedTokens();
    }
    return OptionalDouble.of(sum / tokens);
  }
}
