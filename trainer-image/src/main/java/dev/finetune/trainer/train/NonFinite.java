package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.TokenizedExample;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A number that became NaN or infinite, and where. It is never replaced by another one.
 *
 * @param what the number
 * @param value NaN or infinite
 * @param step the step that it came up in, from 1
 * @param rows what this rank computed it from; none where all was well here
 * @param place where the first such number came out; empty where it isn't known
 */
record NonFinite(
    String what, double value, int step, List<TokenizedExample> rows, Optional<String> place) {
  private static final int NAMED_ROWS = 16;

  /** What went wrong on this rank, in a sentence without its end. */
  String describe() {
    String first =
        place
            .map(where -> "; running them again, the first such number comes out of " + where)
            .orElse("");
    return "the %s became %s in step %d, on the rows %s%s"
        .formatted(what, value, step, named(), first);
  }

  private String named() {
    String shown =
        rows.stream()
            .limit(NAMED_ROWS)
            .map(TokenizedExample::origin)
            .collect(Collectors.joining(", "));
    return rows.size() > NAMED_ROWS
        ? shown + " and " + (rows.size() - NAMED_ROWS) + " more"
        : shown;
  }

  /** The end of the run: with the rows where they are this rank's, as another's end elsewhere. */
  TrainerException failure() {
    if (rows.isEmpty()) {
      return new TrainerException(
          TrainerExit.RANK_LOST,
          "the %s became %s in step %d on another rank, which says on which rows"
              .formatted(what, value, step));
    }
    return new TrainerException(
        TrainerExit.NON_FINITE_LOSS,
        describe()
            + "; try a lower training.learningRate, training.precision FP32, or"
            + " training.maxGradNorm, and look at these rows");
  }
}
