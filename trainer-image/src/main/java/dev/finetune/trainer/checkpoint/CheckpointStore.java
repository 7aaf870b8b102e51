package dev.finetune.trainer.checkpoint;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.safetensors.HostTensor;
import dev.finetune.trainer.safetensors.SafetensorsReader;
import dev.finetune.trainer.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The checkpoints of one run, a folder {@code checkpoint-STEP} each: the adapter in PEFT's format,
 * or the weights that train, with the optimizer's and the run's state beside it.
 *
 * <p>The newest and the best checkpoint are never deleted, and none that this run didn't write.
 */
public final class CheckpointStore {
  static final String ADAPTER_CONFIG = "adapter_config.json";
  static final String ADAPTER_MODEL = "adapter_model.safetensors";

  /** The weights that train, where it is no adapter that does. */
  static final String MODEL = "model.safetensors";

  static final String OPTIMIZER = "optimizer.safetensors";
  static final String TRAINER_STATE = "trainer_state.json";
  static final String PREFIX = "checkpoint-";

  /** Headers, JSON files and what the file system needs for itself. */
  private static final long SPARE_BYTES = 1 << 20;

  private final Destination destination;
  private final RunIdentity run;
  private final int keep;
  private final AtomicFolder.FileOpener opener;
  private final Fence fence;
  private final Consumer<String> warnings;
  private final List<StoredCheckpoint> stored;
  private final StoredCheckpoint resumedFrom;

  CheckpointStore(
      Destination destination,
      RunIdentity run,
      int keep,
      AtomicFolder.FileOpener opener,
      Fence fence,
      Consumer<String> warnings,
      List<StoredCheckpoint> found) {
    this.destination = destination;
    this.run = run;
    this.keep = keep;
    this.opener = opener;
    this.fence = fence;
    this.warnings = warnings;
    this.stored = new ArrayList<>(found);
    this.stored.sort(Comparator.comparingInt(StoredCheckpoint::step));
    this.resumedFrom = latest().orElse(null);
  }

  /**
   * Sets the model to the newest checkpoint.
   *
   * @return where the run stood then; the start, and the model as it is, where there is none
   */
  public TrainerState resume(TrainableModel model) {
    if (resumedFrom == null) {
      return TrainerState.START;
    }
    // Before its first step a model is what the seed makes of it.
    if (resumedFrom.step() > 0) {
      restore(resumedFrom, model);
    }
    return resumedFrom.state();
  }

  /** Sets a model that has gone on from the newest checkpoint back to it. */
  public void restoreLatest(TrainableModel model) {
    restore(latest().orElseThrow(), model);
  }

  private static void restore(StoredCheckpoint checkpoint, TrainableModel model) {
    Map<String, HostTensor> adapter = SafetensorsReader.read(checkpoint.tensors());
    Map<String, HostTensor> optimizer =
        SafetensorsReader.read(checkpoint.folder().resolve(OPTIMIZER));
    model.restore(adapter, optimizer);
  }

  /** Whether there is no checkpoint yet. */
  public boolean isEmpty() {
    return stored.isEmpty();
  }

  /** Where the run stood at the newest checkpoint; the start where there is none. */
  public TrainerState state() {
    return latest().map(StoredCheckpoint::state).orElse(TrainerState.START);
  }

  /** Whether the newest checkpoint is of exactly this state. */
  public boolean holds(TrainerState state) {
    return latest().map(newest -> newest.state().equals(state)).orElse(false);
  }

  /**
   * Writes a checkpoint, then deletes the oldest ones that are too many.
   *
   * @param state where the run stands
   * @param epoch passes over the data so far
   * @param model the tensors
   * @return the checkpoint as it was read back
   * @throws IOException if it can't be written; nothing of it is left then
   * @throws dev.finetune.trainer.TrainerException if the destination belongs to another run by now
   */
  public Checkpoint save(TrainerState state, double epoch, TrainableModel model)
      throws IOException {
    Map<String, HostTensor> adapter = model.adapter();
    Map<String, HostTensor> optimizer = model.optimizer();
    requireSpace(sizeOf(adapter) + sizeOf(optimizer) + SPARE_BYTES);
    Path folder = destination.resolve(PREFIX + state.step());
    try (AtomicFolder writing = new AtomicFolder(folder, opener, fence)) {
      Optional<String> config = model.adapterConfig();
      if (config.isPresent()) {
        writing.write(ADAPTER_CONFIG, config.get().getBytes(StandardCharsets.UTF_8));
      }
      String file = config.isPresent() ? ADAPTER_MODEL : MODEL;
      writing.write(file, out -> writeTensors(adapter, out));
      writing.write(OPTIMIZER, out -> writeTensors(optimizer, out));
      writing.write(TRAINER_STATE, Json.bytes(new StateFile(epoch, state, run)));
      writing.commit();
    }
    stored.removeIf(other -> other.step() == state.step());
    StoredCheckpoint saved = CheckpointScan.read(folder, destination);
    requireSame(adapter, SafetensorsReader.read(saved.tensors()));
    stored.add(saved);
    rotate();
    return saved.summary();
  }

  /** What was written must be what a reader of the file finds, bit for bit. */
  private static void requireSame(Map<String, HostTensor> intended, Map<String, HostTensor> found)
      throws IOException {
    for (Map.Entry<String, HostTensor> tensor : intended.entrySet()) {
      HostTensor same = found.get(tensor.getKey());
      if (same == null
          || !same.dtype().equals(tensor.getValue().dtype())
          || !Arrays.equals(same.shape(), tensor.getValue().shape())
          || !same.bytes().equals(tensor.getValue().bytes())) {
        throw new IOException(
            "the tensor %s was read back as another one".formatted(tensor.getKey()));
      }
    }
    if (found.size() != intended.size()) {
      throw new IOException(
          "%d tensors were written and %d read back".formatted(intended.size(), found.size()));
    }
  }

  /** The checkpoints that matter, for the outside. */
  public Checkpoints summary() {
    return new Checkpoints(
        latest().map(StoredCheckpoint::summary).orElse(null),
        best().map(StoredCheckpoint::summary).orElse(null),
        resumedFrom == null ? null : resumedFrom.summary());
  }

  /** Names the newest checkpoint in a message. */
  public String describeLatest() {
    return latest().map(newest -> newest.folder().getFileName().toString()).orElse("the start");
  }

  /**
   * Called before something else is put into the destination.
   *
   * @throws dev.finetune.trainer.TrainerException if the destination belongs to another run by now
   */
  public void requireOwner() throws IOException {
    fence.check();
  }

  Fence fence() {
    return fence;
  }

  /** The checkpoint that the result is made of: the best, or the last without validation. */
  StoredCheckpoint chosen() {
    return best().or(this::latest).orElseThrow();
  }

  Optional<StoredCheckpoint> latest() {
    return stored.isEmpty() ? Optional.empty() : Optional.of(stored.get(stored.size() - 1));
  }

  /** The one with the lowest validation loss, the earlier of equals. */
  Optional<StoredCheckpoint> best() {
    return stored.stream()
        .filter(checkpoint -> checkpoint.summary().evalLoss() != null)
        .min(Comparator.comparingDouble(checkpoint -> checkpoint.summary().evalLoss()));
  }

  /** What can't be deleted now is tried again after the next checkpoint. */
  private void rotate() {
    Set<Integer> kept = new HashSet<>();
    best().map(StoredCheckpoint::step).ifPresent(kept::add);
    latest().map(StoredCheckpoint::step).ifPresent(kept::add);
    List<StoredCheckpoint> deletable =
        stored.stream().filter(each -> !kept.contains(each.step())).toList();
    int tooMany = Math.min(stored.size() - keep, deletable.size());
    for (int i = 0; i < tooMany; i++) {
      Path folder = deletable.get(i).folder();
      try {
        AtomicFolder.deleteFolder(folder);
        stored.remove(deletable.get(i));
      } catch (IOException e) {
        warnings.accept(folder.getFileName() + " can't be deleted: " + e.getMessage());
      }
    }
  }

  private void requireSpace(long bytes) throws IOException {
    long usable = Files.getFileStore(destination.folder()).getUsableSpace();
    if (usable < bytes) {
      throw new IOException(
          "%s has %d bytes left and a checkpoint takes %d"
              .formatted(destination.location(), usable, bytes));
    }
  }

  private static void writeTensors(Map<String, HostTensor> tensors, OutputStream out)
      throws IOException {
    SafetensorsWriter.write(Channels.newChannel(out), tensors);
  }

  private static long sizeOf(Map<String, HostTensor> tensors) {
    return tensors.values().stream().mapToLong(tensor -> tensor.bytes().remaining()).sum();
  }

  /**
   * trainer_state.json.
   *
   * @param epoch passes over the data so far
   * @param state where the run stands
   * @param run what it learns, from what and on top of what
   */
  record StateFile(double epoch, TrainerState state, RunIdentity run) {}
}
