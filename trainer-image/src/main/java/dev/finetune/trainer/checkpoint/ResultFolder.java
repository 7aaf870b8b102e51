package dev.finetune.trainer.checkpoint;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;

/** The result of a run: what the chosen checkpoint trained, ready to be served. */
public abstract sealed class ResultFolder permits AdapterFolder, TunedModelFolder {
  private final Destination destination;
  private final String name;

  ResultFolder(Destination destination, String name) {
    this.destination = destination;
    this.name = name;
  }

  /**
   * Writes the result of the best checkpoint, or of the last without validation.
   *
   * @return its location, in the destination's form
   * @throws TrainerException OUTPUT if it can't be written; as {@link Fence#check} if the
   *     destination belongs to another run by now
   */
  public String write(CheckpointStore checkpoints) {
    try {
      writeFrom(checkpoints.chosen(), checkpoints.fence());
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "the %s can't be written to %s: %s; make room and run again, nothing is trained twice"
              .formatted(name, location(), e.getMessage()),
          e);
    }
    return location();
  }

  abstract void writeFrom(StoredCheckpoint chosen, Fence fence) throws IOException;

  /** Its location, in the destination's form. */
  public String location() {
    return destination.locationOf(name);
  }

  /** Its name in the destination, and what it is. */
  public String name() {
    return name;
  }

  Destination destination() {
    return destination;
  }
}
