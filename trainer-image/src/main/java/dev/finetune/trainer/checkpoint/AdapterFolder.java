package dev.finetune.trainer.checkpoint;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The result of a run: the chosen checkpoint's adapter in PEFT's format, ready to be served. */
public final class AdapterFolder {
  /** Its name in the destination. */
  public static final String NAME = "adapter";

  private static final String README = "README.md";
  private static final List<String> COPIED =
      List.of(
          CheckpointStore.ADAPTER_CONFIG,
          CheckpointStore.ADAPTER_MODEL,
          CheckpointStore.TRAINER_STATE);

  private final Destination destination;

  /**
   * Names the place of the result.
   *
   * @param destination the run's destination
   */
  public AdapterFolder(Destination destination) {
    this.destination = destination;
  }

  /**
   * Writes the adapter of the best checkpoint, or of the last without validation.
   *
   * @return its location, in the destination's form
   * @throws TrainerException OUTPUT if it can't be written; as {@link Fence#check} if the
   *     destination belongs to another run by now
   */
  public String write(CheckpointStore checkpoints) {
    StoredCheckpoint chosen = checkpoints.chosen();
    try {
      writeFrom(chosen, checkpoints.fence());
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "the adapter can't be written to %s: %s; make room and run again, nothing is trained twice"
              .formatted(location(), e.getMessage()),
          e);
    }
    return location();
  }

  /** Its location, in the destination's form. */
  public String location() {
    return destination.locationOf(NAME);
  }

  private void writeFrom(StoredCheckpoint chosen, Fence fence) throws IOException {
    Manifest source = Manifest.verify(chosen.folder());
    try (AtomicFolder writing =
        new AtomicFolder(destination.resolve(NAME), Files::newOutputStream, fence)) {
      for (String name : COPIED) {
        Path file = chosen.folder().resolve(name);
        writing.write(name, out -> Files.copy(file, out));
      }
      String readme = ServingGuide.markdown(chosen.folder(), chosen.summary());
      writing.write(README, readme.getBytes(StandardCharsets.UTF_8));
      Manifest written = writing.commit();
      for (String name : COPIED) {
        if (!written.files().get(name).equals(source.files().get(name))) {
          throw new IOException("the copy of " + name + " differs from the checkpoint's");
        }
      }
    }
  }
}
