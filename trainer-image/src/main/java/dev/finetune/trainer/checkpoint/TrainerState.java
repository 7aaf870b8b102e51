package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.finetune.api.v1alpha1.EpochResult;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a run stands between two optimizer steps, all that goes on from there besides the tensors.
 * The order of the rows and the dropout are functions of the seed and the step, so the step is the
 * position in the data too. Written as trainer_state.json.
 *
 * @param step optimizer steps done
 * @param epochLoss the running epoch's loss so far
 * @param unloggedLoss the loss of the steps since the last log line
 * @param loggedLoss the last log line's loss; null before the first
 * @param evaluatedStep the step of the last evaluation; 0 before the first
 * @param evalLoss the last evaluation's loss; null before the first
 * @param epochs the epochs that have ended
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TrainerState(
    int step,
    LossSum epochLoss,
    LossSum unloggedLoss,
    Double loggedLoss,
    int evaluatedStep,
    Double evalLoss,
    List<EpochResult> epochs) {

  /** Before the first step. */
  public static final TrainerState START =
      new TrainerState(0, LossSum.ZERO, LossSum.ZERO, null, 0, null, List.of());

  public TrainerState {
    epochs = List.copyOf(epochs);
  }

  /** After one more step with this loss. */
  public TrainerState stepped(double nll, long tokens) {
    return new TrainerState(
        step + 1,
        epochLoss.plus(nll, tokens),
        unloggedLoss.plus(nll, tokens),
        loggedLoss,
        evaluatedStep,
        evalLoss,
        epochs);
  }

  /** After the log line of this step was written. */
  public TrainerState logged() {
    return new TrainerState(
        step, epochLoss, LossSum.ZERO, unloggedLoss.mean(), evaluatedStep, evalLoss, epochs);
  }

  /** After the evaluation of this step. */
  public TrainerState evaluated(double loss) {
    return new TrainerState(step, epochLoss, unloggedLoss, loggedLoss, step, loss, epochs);
  }

  /** After the end of an epoch. */
  public TrainerState epochEnded(EpochResult result) {
    List<EpochResult> all = new ArrayList<>(epochs);
    all.add(result);
    return new TrainerState(
        step, LossSum.ZERO, unloggedLoss, loggedLoss, evaluatedStep, evalLoss, all);
  }

  /** The validation loss of exactly this step; null where it was not evaluated. */
  public Double evalLossHere() {
    return evaluatedStep == step ? evalLoss : null;
  }
}
