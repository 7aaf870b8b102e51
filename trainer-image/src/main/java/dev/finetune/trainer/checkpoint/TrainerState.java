package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import dev.finetune.api.v1alpha1.EpochResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a run stands between two optimizer steps, all that goes on from there besides the tensors.
 * The order of the rows and the dropout are functions of the seed and the step, so the step is the
 * position in the data too. Written as trainer_state.json.
 *
 * @param step optimizer steps done
 * @param epochSum the running epoch's tokens so far
 * @param unloggedSum the tokens of the steps since the last log line
 * @param logged the last log line; null before the first
 * @param evaluation the last evaluation and how many were no better than the best; null before the
 *     first
 * @param epochs the epochs that have ended
 * @param leftOutStep the step whose rows made the loss or the gradient NaN or infinite, for which
 *     the run went back once: it counts, and changes nothing. Null where there is none.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TrainerState(
    int step,
    LossSum epochSum,
    LossSum unloggedSum,
    Logged logged,
    Evaluation evaluation,
    List<EpochResult> epochs,
    Integer leftOutStep) {

  /** Before the first step. */
  public static final TrainerState START =
      new TrainerState(0, LossSum.ZERO, LossSum.ZERO, null, null, List.of(), null);

  /**
   * What a log line says.
   *
   * @param loss mean over the line's steps
   * @param tokenAccuracy likewise
   */
  public record Logged(double loss, double tokenAccuracy) {}

  /**
   * An evaluation, and those before it.
   *
   * @param step optimizer steps done then
   * @param loss mean over the validation rows' supervised tokens
   * @param tokenAccuracy likewise
   * @param bestLoss the lowest loss of all evaluations so far
   * @param sinceBest evaluations since the one with that loss: 0 where this is it
   */
  public record Evaluation(
      int step, double loss, double tokenAccuracy, double bestLoss, int sinceBest) {
    /** The first of a run. */
    static Evaluation first(int step, double loss, double tokenAccuracy) {
      return new Evaluation(step, loss, tokenAccuracy, loss, 0);
    }

    /**
     * The one after this. Only a lower loss is better: of equals the earlier one stays the best.
     */
    Evaluation next(int nextStep, double nextLoss, double nextAccuracy) {
      boolean better = nextLoss < bestLoss;
      return new Evaluation(
          nextStep,
          nextLoss,
          nextAccuracy,
          better ? nextLoss : bestLoss,
          better ? 0 : sinceBest + 1);
    }
  }

  /** As JSON, for other ranks. */
  public byte[] toJson() {
    try {
      return Json.bytes(this);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What {@link #toJson} gave. */
  public static TrainerState ofJson(byte[] json) {
    try {
      return Json.read(json, TrainerState.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public TrainerState {
    epochs = List.copyOf(epochs);
  }

  /** After one more step on these tokens. */
  public TrainerState stepped(LossSum window) {
    return new TrainerState(
        step + 1,
        epochSum.plus(window),
        unloggedSum.plus(window),
        logged,
        evaluation,
        epochs,
        leftOutStep);
  }

  /** After the step that is left out. */
  public TrainerState passed() {
    return stepped(LossSum.ZERO);
  }

  /** The same place in a run that leaves a step out from now on. */
  public TrainerState leavingOut(int leftOut) {
    return new TrainerState(step, epochSum, unloggedSum, logged, evaluation, epochs, leftOut);
  }

  /** After the log line of this step was written. */
  public TrainerState afterLogLine() {
    Logged line = new Logged(unloggedSum.mean(), unloggedSum.accuracy());
    return new TrainerState(step, epochSum, LossSum.ZERO, line, evaluation, epochs, leftOutStep);
  }

  /** After the evaluation of this step. */
  public TrainerState evaluated(double loss, double tokenAccuracy) {
    Evaluation next =
        evaluation == null
            ? Evaluation.first(step, loss, tokenAccuracy)
            : evaluation.next(step, loss, tokenAccuracy);
    return new TrainerState(step, epochSum, unloggedSum, logged, next, epochs, leftOutStep);
  }

  /** After the end of an epoch. */
  public TrainerState epochEnded(EpochResult result) {
    List<EpochResult> all = new ArrayList<>(epochs);
    all.add(result);
    return new TrainerState(step, LossSum.ZERO, unloggedSum, logged, evaluation, all, leftOutStep);
  }

  /** Whether exactly this step was evaluated. */
  @JsonIgnore
  public boolean isEvaluated() {
    return evaluation != null && evaluation.step() == step;
  }

  /** The validation loss of exactly this step; null where it was not evaluated. */
  public Double evalLossHere() {
    return isEvaluated() ? evaluation.loss() : null;
  }

  /** Whether this step's evaluation is better than all before it. */
  @JsonIgnore
  public boolean isBest() {
    return isEvaluated() && evaluation.sinceBest() == 0;
  }
}
