package dev.finetune.trainer.checkpoint;

import dev.finetune.trainer.safetensors.HostTensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;

/** The file format of tensors, as the store sees it. */
public interface TensorFiles {
  /** Writes tensors by name; leaves the stream open. */
  void write(Map<String, HostTensor> tensors, OutputStream out) throws IOException;

  /** Reads all tensors of a file. */
  Map<String, HostTensor> read(Path file) throws IOException;
}
