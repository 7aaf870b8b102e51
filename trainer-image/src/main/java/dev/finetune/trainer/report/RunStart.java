package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;
import java.util.List;

/**
 * Where an attempt begins.
 *
 * @param step optimizer steps done before
 * @param epoch passes over the data before
 * @param totalSteps optimizer steps in all
 * @param totalEpochs passes that the recipe asks for
 * @param loss the last logged loss; null without one
 * @param tokenAccuracy the last logged accuracy; null without one
 * @param evalLoss the last validation loss; null without one
 * @param evalTokenAccuracy the last accuracy on the validation rows; null without one
 * @param epochs the epochs that have ended
 * @param checkpoints the checkpoints on disk
 */
public record RunStart(
    int step,
    double epoch,
    int totalSteps,
    int totalEpochs,
    Double loss,
    Double tokenAccuracy,
    Double evalLoss,
    Double evalTokenAccuracy,
    List<EpochResult> epochs,
    Checkpoints checkpoints) {
  public RunStart {
    epochs = List.copyOf(epochs);
  }
}
