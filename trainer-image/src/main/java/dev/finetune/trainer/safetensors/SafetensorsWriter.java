package dev.finetune.trainer.safetensors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes a safetensors file. */
public final class SafetensorsWriter {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The tensors begin on a multiple of this, so that readers can map them as they are. */
  private static final int ALIGNMENT = 8;

  private SafetensorsWriter() {}

  /**
   * Writes the tensors in the map's order, with the metadata {@code {"format":"pt"}} that
   * transformers and PEFT ask for. Neither flushes nor closes the channel.
   *
   * @throws IOException if the channel can't be written, a full disk for one
   */
  public static void write(WritableByteChannel channel, Map<String, HostTensor> tensors)
      throws IOException {
    Map<String, LazyTensor> lazy = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> lazy.put(name, LazyTensor.of(tensor)));
    writeLazily(channel, lazy);
  }

  /** As {@link #write}, with one tensor's elements in memory at a time. */
  public static void writeLazily(WritableByteChannel channel, Map<String, LazyTensor> tensors)
      throws IOException {
    byte[] header = header(tensors);
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    writeFully(channel, length.putLong(header.length).flip());
    writeFully(channel, ByteBuffer.wrap(header));
    for (Map.Entry<String, LazyTensor> entry : tensors.entrySet()) {
      ByteBuffer bytes = entry.getValue().values().get().bytes().duplicate();
      if (bytes.remaining() != entry.getValue().bytes()) {
        throw new IllegalArgumentException(
            "%s has %d bytes instead of %d"
                .formatted(entry.getKey(), bytes.remaining(), entry.getValue().bytes()));
      }
      writeFully(channel, bytes);
    }
  }

  private static byte[] header(Map<String, LazyTensor> tensors) {
    ObjectNode header = JSON.createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (Map.Entry<String, LazyTensor> entry : tensors.entrySet()) {
      LazyTensor tensor = entry.getValue();
      long bytes = tensor.bytes();
      ObjectNode node = header.putObject(entry.getKey()).put("dtype", tensor.type().name());
      ArrayNode shape = node.putArray("shape");
      Arrays.stream(tensor.shape()).forEach(shape::add);
      node.putArray("data_offsets").add(offset).add(offset + bytes);
      offset += bytes;
    }
    return padded(header);
  }

  private static byte[] padded(ObjectNode header) {
    try {
      byte[] json = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
      byte[] padded = Arrays.copyOf(json, (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
      Arrays.fill(padded, json.length, padded.length, (byte) ' ');
      return padded;
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
