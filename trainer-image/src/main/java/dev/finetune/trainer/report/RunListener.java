package dev.finetune.trainer.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.TrainingResult;
import java.util.List;

/** Hears what happens in a run. Called by the run's thread; what it does never changes the run. */
public interface RunListener {
  /** The recipe is read, and every default filled in. */
  default void resolved(ObjectNode recipe) {}

  /** What a flag of the command line means here, where it means something else elsewhere. */
  default void noted(String flag) {}

  /** Every row of the data is checked. */
  default void checked(DatasetVerdict verdict) {}

  /** How the model's layers are laid over devices, as the lines of a table. */
  default void planned(List<String> table) {}

  /** The model is loaded. */
  default void loaded(ParameterCounts counts) {}

  /** Training starts, or goes on from a checkpoint. */
  default void started(RunStart start) {}

  /** A step was taken. */
  default void stepTaken(StepReport report) {}

  /** A log line is due; its loss is the mean over all steps since the last one. */
  default void logged(StepReport report) {}

  /** How fast the ranks computed since the last log line; comes just before the line. */
  default void compared(RankSpeeds speeds) {}

  /** The validation loss was measured. */
  default void evaluated(int step, double epoch, double loss) {}

  /** A pass over the data ended. */
  default void epochEnded(EpochResult result) {}

  /** A checkpoint is complete on disk. */
  default void saved(Checkpoint checkpoint, Checkpoints all) {}

  /** Something went wrong that the run goes on in spite of. */
  default void warned(String message) {}

  /** The results are written. */
  default void finished(TrainingResult result) {}

  /** The run is over, however it ended: nothing more comes. */
  default void ended() {}
}
