package dev.finetune.trainer.checkpoint;

import dev.finetune.api.v1alpha1.Checkpoint;
import java.nio.file.Path;

/**
 * A checkpoint on disk that agrees with its manifest.
 *
 * @param folder its folder
 * @param summary what the outside learns of it
 * @param state where the run stood
 */
record StoredCheckpoint(Path folder, Checkpoint summary, TrainerState state) {
  int step() {
    return state.step();
  }
}
