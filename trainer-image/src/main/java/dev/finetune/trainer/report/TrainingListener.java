package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;

/**
 * Hears what happens in a run. Called by the training thread; what it does never changes the run.
 */
public interface TrainingListener {
  /** A step was taken. */
  default void stepTaken(StepReport report) {}

  /** A log line is due; its loss is the mean over all steps since the last one. */
  default void logged(StepReport report) {}

  /** The validation loss was measured. */
  default void evaluated(int step, double epoch, double loss) {}

  /** A pass over the data ended. */
  default void epochEnded(EpochResult result) {}

  /** A checkpoint is complete on disk. */
  default void saved(Checkpoint checkpoint, Checkpoints all) {}

  /** Something went wrong that training goes on in spite of. */
  default void warned(String message) {}
}
