package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.TokenizedExample;
import java.util.List;
import java.util.stream.Collectors;

/** Ends a run whose numbers became NaN or infinite, and says where. Never puts another in place. */
final class NonFinite {
  private static final int NAMED_ROWS = 16;

  private NonFinite() {}

  static void refuse(String what, double value, int step, List<TokenizedExample> rows) {
    if (Double.isFinite(value)) {
      return;
    }
    String named =
        rows.stream()
            .limit(NAMED_ROWS)
            .map(TokenizedExample::origin)
            .collect(Collectors.joining(", "));
    String others = rows.size() > NAMED_ROWS ? " and " + (rows.size() - NAMED_ROWS) + " more" : "";
    throw new TrainerException(
        TrainerExit.NON_FINITE_LOSS,
        ("the %s became %s in step %d, on the rows %s%s; try a lower training.learningRate,"
                + " training.precision FP32, or training.maxGradNorm, and look at these rows")
            .formatted(what, value, step, named, others));
  }
}
