package dev.finetune.trainer.checkpoint;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Looks through a destination before a run: removes what interrupted writes left, sets broken
 * checkpoints aside and refuses those of another run.
 */
public final class CheckpointScan {
  private static final Pattern NAME = Pattern.compile("checkpoint-[0-9]+");

  private final Destination destination;
  private final Consumer<String> warnings;

  /**
   * @param destination where checkpoints lie
   * @param warnings hears of each checkpoint that is set aside
   */
  public CheckpointScan(Destination destination, Consumer<String> warnings) {
    this.destination = destination;
    this.warnings = warnings;
  }

  /**
   * Opens the store of a run.
   *
   * @param run what the run is
   * @param keep how many checkpoints stay
   * @throws TrainerException USAGE if there are checkpoints of another run
   */
  public CheckpointStore open(RunIdentity run, int keep) throws IOException {
    return open(run, keep, Files::newOutputStream);
  }

  CheckpointStore open(RunIdentity run, int keep, AtomicFolder.FileOpener opener)
      throws IOException {
    AtomicFolder.recover(destination.folder());
    List<StoredCheckpoint> found = new ArrayList<>();
    for (Path folder : AtomicFolder.children(destination.folder())) {
      if (!NAME.matcher(folder.getFileName().toString()).matches()) {
        continue;
      }
      Read read;
      try {
        read = read(folder, destination);
      } catch (IOException e) {
        setAside(folder, e.getMessage());
        continue;
      }
      refuseAnother(run, read.run(), folder);
      found.add(read.checkpoint());
    }
    return new CheckpointStore(destination, run, keep, opener, warnings, found);
  }

  /**
   * @param checkpoint the checkpoint
   * @param run the run that wrote it
   */
  record Read(StoredCheckpoint checkpoint, RunIdentity run) {}

  /** Verifies a checkpoint against its manifest and reads its state. */
  static Read read(Path folder, Destination destination) throws IOException {
    Manifest manifest = Manifest.verify(folder);
    CheckpointStore.StateFile file = stateFile(folder);
    Path manifestFile = folder.resolve(Manifest.FILE);
    Checkpoint summary =
        new Checkpoint(
            file.state().step(),
            file.epoch(),
            destination.locationOf(folder.getFileName().toString()),
            manifest.sizeBytes() + Files.size(manifestFile),
            Sha256.of(manifestFile),
            file.state().evalLossHere());
    return new Read(new StoredCheckpoint(folder, summary, file.state()), file.run());
  }

  /** The date on which the run that the destination holds began; empty where it holds none. */
  public Optional<String> startDate() throws IOException {
    for (Path folder : AtomicFolder.children(destination.folder())) {
      Path file = folder.resolve(CheckpointStore.TRAINER_STATE);
      boolean ours =
          NAME.matcher(folder.getFileName().toString()).matches()
              || folder.endsWith(AdapterFolder.NAME);
      if (ours && Files.isRegularFile(file)) {
        try {
          return Optional.of(stateFile(folder).run().startDate());
        } catch (IOException e) {
          // A broken one is set aside, and said so, when the store is opened.
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Whether the destination already holds the finished adapter of this run. A broken one is set
   * aside.
   *
   * @throws TrainerException USAGE if it holds the adapter of another run
   */
  public boolean holdsResult(RunIdentity run) throws IOException {
    AtomicFolder.recover(destination.folder());
    Path folder = destination.resolve(AdapterFolder.NAME);
    if (!Files.exists(folder)) {
      return false;
    }
    try {
      Manifest.verify(folder);
      refuseAnother(run, stateFile(folder).run(), folder);
      return true;
    } catch (IOException e) {
      setAside(folder, e.getMessage());
      return false;
    }
  }

  private static CheckpointStore.StateFile stateFile(Path folder) throws IOException {
    return Json.read(
        folder.resolve(CheckpointStore.TRAINER_STATE), CheckpointStore.StateFile.class);
  }

  private void setAside(Path folder, String problem) throws IOException {
    int number = 1;
    while (Files.exists(aside(folder, number))) {
      number++;
    }
    Path aside = aside(folder, number);
    Files.move(folder, aside, StandardCopyOption.ATOMIC_MOVE);
    warnings.accept(
        "%s can't be gone on from: %s; it is now %s"
            .formatted(folder.getFileName(), problem, aside.getFileName()));
  }

  private static Path aside(Path folder, int number) {
    return folder.resolveSibling(folder.getFileName() + ".broken-" + number);
  }

  private void refuseAnother(RunIdentity run, RunIdentity found, Path folder) {
    List<String> differences = run.differencesFrom(found);
    if (!differences.isEmpty()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          ("%s already holds another run's %s: %s; give this run a destination of its own, or delete that"
                  + " folder's content if it is no longer needed")
              .formatted(
                  destination.location(), folder.getFileName(), String.join("; ", differences)));
    }
  }
}
