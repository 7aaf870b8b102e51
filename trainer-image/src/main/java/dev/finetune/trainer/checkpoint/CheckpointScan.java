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
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
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
   * Opens the store of a run, which owns the destination from now on. One that is refused has
   * changed nothing, as another may be at work there.
   *
   * @param run what the run is
   * @param token who writes
   * @param keep how many checkpoints stay
   * @throws TrainerException USAGE if there are checkpoints or the result of another run; TRY_AGAIN
   *     if a later attempt of the same job owns the destination
   */
  public CheckpointStore open(RunIdentity run, RunToken token, int keep) throws IOException {
    return open(run, token, keep, Files::newOutputStream);
  }

  CheckpointStore open(RunIdentity run, RunToken token, int keep, AtomicFolder.FileOpener opener)
      throws IOException {
    refuseAnother(run);
    Fence fence = Fence.claim(destination, token);
    AtomicFolder.recover(destination.folder());
    List<StoredCheckpoint> found = new ArrayList<>();
    for (Path folder : AtomicFolder.children(destination.folder())) {
      if (!NAME.matcher(folder.getFileName().toString()).matches()) {
        continue;
      }
      try {
        found.add(read(folder, destination));
      } catch (IOException e) {
        setAside(folder, e.getMessage());
      }
    }
    return new CheckpointStore(destination, run, keep, opener, fence, warnings, found);
  }

  /** Verifies a checkpoint against its manifest and reads its state. */
  static StoredCheckpoint read(Path folder, Destination destination) throws IOException {
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
    return new StoredCheckpoint(folder, summary, file.state());
  }

  /** The date on which the run that the destination holds began; empty where it holds none. */
  public Optional<String> startDate() throws IOException {
    return runs().values().stream().map(RunIdentity::startDate).findFirst();
  }

  /** What each checkpoint and the result say of the run that wrote them, verified or not. */
  private SortedMap<Path, RunIdentity> runs() throws IOException {
    SortedMap<Path, RunIdentity> runs = new TreeMap<>();
    for (Path folder : AtomicFolder.children(destination.folder())) {
      boolean ours =
          NAME.matcher(folder.getFileName().toString()).matches()
              || folder.endsWith(AdapterFolder.NAME)
              || folder.endsWith(TunedModelFolder.NAME);
      if (ours && Files.isRegularFile(folder.resolve(CheckpointStore.TRAINER_STATE))) {
        try {
          runs.put(folder, stateFile(folder).run());
        } catch (IOException e) {
          // A broken one is set aside, and said so, when the store is opened.
        }
      }
    }
    return runs;
  }

  /** Whether the destination holds a finished result. A broken one is set aside. */
  public boolean holds(ResultFolder result) throws IOException {
    Path folder = destination.resolve(result.name());
    if (!Files.exists(folder)) {
      return false;
    }
    try {
      Manifest.verify(folder);
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

  private void refuseAnother(RunIdentity run) throws IOException {
    for (Map.Entry<Path, RunIdentity> found : runs().entrySet()) {
      List<String> differences = run.differencesFrom(found.getValue());
      if (!differences.isEmpty()) {
        throw new TrainerException(
            TrainerExit.USAGE,
            ("%s already holds another run's %s: %s; give this run a destination of its own, or delete that"
                    + " folder's content if it is no longer needed")
                .formatted(
                    destination.location(),
                    found.getKey().getFileName(),
                    String.join("; ", differences)));
      }
    }
  }
}
