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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
    List<TensorEntry> entries = new ArrayList<>();
    tensors.forEach((name, tensor) -> entries.add(entry(name, tensor)));
    write(
        channel,
        entries,
        (entry, out) -> writeFully(out, tensors.get(entry.name()).bytes().duplicate()));
  }

  private static TensorEntry entry(String name, HostTensor tensor) {
    TensorType type = TensorType.valueOf(tensor.dtype());
    long bytes = tensor.elements() * type.bytes();
    if (bytes != tensor.bytes().remaining()) {
      throw new IllegalArgumentException(
          "%s has %d bytes instead of %d".formatted(name, tensor.bytes().remaining(), bytes));
    }
    return new TensorEntry(name, type, tensor.shape(), 0, bytes);
  }

  /** Writes a tensor's bytes, as many as its entry says. */
  public interface Content {
    void write(TensorEntry tensor, WritableByteChannel out) throws IOException;
  }

  /**
   * The same, tensor by tensor.
   *
   * @param tensors in their order; their offsets are not looked at
   * @param content asked for each tensor's bytes in that order
   */
  public static void write(WritableByteChannel channel, List<TensorEntry> tensors, Content content)
      throws IOException {
    byte[] header = header(tensors);
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    writeFully(channel, length.putLong(header.length).flip());
    writeFully(channel, ByteBuffer.wrap(header));
    for (TensorEntry tensor : tensors) {
      content.write(tensor, channel);
    }
  }

  private static byte[] header(List<TensorEntry> tensors) {
    ObjectNode header = JSON.createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (TensorEntry tensor : tensors) {
      long bytes = tensor.bytes();
      ObjectNode node = header.putObject(tensor.name()).put("dtype", tensor.type().name());
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
