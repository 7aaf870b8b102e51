package dev.finetune.trainer.checkpoint;

import dev.finetune.api.v1alpha1.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A checkpoint on disk that agrees with its manifest.
 *
 * @param folder its folder
 * @param summary what the outside learns of it
 * @param state where the run stood
 */
record StoredCheckpoint(Path folder, Checkpoint summary, TrainerState state) {
  /** The file of what trains. */
  Path tensors() {
    Path adapter = folder.resolve(CheckpointStore.ADAPTER_MODEL);
    return Files.exists(adapter) ? adapter : folder.resolve(CheckpointStore.MODEL);
  }

  int step() {
    return state.step();
  }
}
