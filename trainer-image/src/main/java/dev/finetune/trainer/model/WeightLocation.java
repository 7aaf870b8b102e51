package dev.finetune.trainer.model;

import dev.finetune.trainer.safetensors.TensorEntry;
import java.nio.file.Path;

/**
 * Where a weight lies on disk.
 *
 * @param file the safetensors file
 * @param entry its place in it
 */
public record WeightLocation(Path file, TensorEntry entry) {
  /** PyTorch's number of its element type. */
  public int torchType() {
    return TorchTypes.of(entry.type());
  }
}
