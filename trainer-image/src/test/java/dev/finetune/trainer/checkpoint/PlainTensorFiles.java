package dev.finetune.trainer.checkpoint;

import dev.finetune.trainer.safetensors.HostTensor;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** One-dimensional tensors one after the other. */
public final class PlainTensorFiles implements TensorFiles {
  @Override
  public void write(Map<String, HostTensor> tensors, OutputStream out) throws IOException {
    DataOutputStream data = new DataOutputStream(out);
    for (Map.Entry<String, HostTensor> tensor : new TreeMap<>(tensors).entrySet()) {
      byte[] bytes = new byte[tensor.getValue().bytes().remaining()];
      tensor.getValue().bytes().duplicate().get(bytes);
      data.writeUTF(tensor.getKey());
      data.writeUTF(tensor.getValue().dtype());
      data.writeLong(tensor.getValue().shape()[0]);
      data.writeInt(bytes.length);
      data.write(bytes);
    }
    data.flush();
  }

  @Override
  public Map<String, HostTensor> read(Path file) throws IOException {
    Map<String, HostTensor> tensors = new TreeMap<>();
    try (DataInputStream data = new DataInputStream(Files.newInputStream(file))) {
      while (data.available() > 0) {
        String name = data.readUTF();
        String dtype = data.readUTF();
        long[] shape = {data.readLong()};
        tensors.put(
            name, new HostTensor(dtype, shape, ByteBuffer.wrap(data.readNBytes(data.readInt()))));
      }
    }
    return tensors;
  }
}
