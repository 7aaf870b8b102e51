package dev.finetune.trainer.safetensors;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads a safetensors file as views of its memory-mapped pages. */
public final class SafetensorsReader {
  private SafetensorsReader() {}

  /**
   * Maps every tensor; nothing is copied, and the file may be larger than 2 GiB.
   *
   * @return the tensors by name, in the header's order
   * @throws TrainerException with {@link TrainerExit#MODEL}, naming the file, if it is missing or
   *     broken, or if a single tensor has more than 2 GiB
   */
  public static Map<String, HostTensor> read(Path file) {
    Map<String, TensorEntry> entries = SafetensorsHeader.read(file);
    try (FileChannel channel = FileChannel.open(file)) {
      Map<String, HostTensor> tensors = new LinkedHashMap<>();
      for (TensorEntry entry : entries.values()) {
        tensors.put(entry.name(), map(file, channel, entry));
      }
      return tensors;
    } catch (IOException e) {
      throw new TrainerException(TrainerExit.MODEL, file + " can't be read: " + e.getMessage(), e);
    }
  }

  private static HostTensor map(Path file, FileChannel channel, TensorEntry entry)
      throws IOException {
    if (entry.bytes() > Integer.MAX_VALUE) {
      throw new TrainerException(
          TrainerExit.MODEL, "%s: tensor %s has more than 2 GiB".formatted(file, entry.name()));
    }
    ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, entry.offset(), entry.bytes());
    return new HostTensor(entry.type().name(), entry.shape(), bytes.order(ByteOrder.LITTLE_ENDIAN));
  }
}
