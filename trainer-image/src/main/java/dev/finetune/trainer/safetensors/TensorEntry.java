package dev.finetune.trainer.safetensors;

/**
 * Where a tensor lies in a file.
 *
 * @param name its name
 * @param type its element type
 * @param shape the sizes of its dimensions
 * @param offset its first byte, counted from the file's beginning
 * @param bytes its length in bytes
 */
public record TensorEntry(String name, TensorType type, long[] shape, long offset, long bytes) {
  /** Number of elements. */
  public long elements() {
    return bytes / type.bytes();
  }
}
