package dev.finetune.trainer.safetensors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file, checked against the file as the format's own library does: an 8
 * byte length, a JSON object of name to type, shape and byte range, and the ranges laid end to end
 * over all of the rest of the file.
 */
public final class SafetensorsHeader {
  /** The format's own bound on the header's length. */
  static final long MAX_LENGTH = 100_000_000;

  static final int LENGTH_BYTES = Long.BYTES;

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final Path file;
  private final long dataStart;
  private final long fileSize;

  private SafetensorsHeader(Path file, long dataStart, long fileSize) {
    this.file = file;
    this.dataStart = dataStart;
    this.fileSize = fileSize;
  }

  /**
   * Reads and checks a file's header.
   *
   * @return the tensors by name, in the header's order
   * @throws TrainerException with {@link TrainerExit#MODEL}, naming the file and the tensor, if the
   *     file is missing, cut short or not in the format
   */
  public static Map<String, TensorEntry> read(Path file) {
    try (FileChannel channel = FileChannel.open(file)) {
      return read(file, channel);
    } catch (NoSuchFileException e) {
      throw new TrainerException(TrainerExit.MODEL, file + " doesn't exist", e);
    } catch (IOException e) {
      throw new TrainerException(TrainerExit.MODEL, file + " can't be read: " + e.getMessage(), e);
    }
  }

  private static Map<String, TensorEntry> read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < LENGTH_BYTES) {
      throw broken(file, "has %d bytes, too few for a header; copy it again".formatted(size));
    }
    long length = bytes(channel, 0, LENGTH_BYTES).getLong();
    if (length < 0 || length > MAX_LENGTH) {
      throw broken(
          file,
          "claims a header of %s bytes, more than the format allows; it isn't a safetensors file"
              .formatted(Long.toUnsignedString(length)));
    }
    if (LENGTH_BYTES + length > size) {
      throw broken(
          file,
          "is cut short: its header has %d bytes, the file %d; copy it again"
              .formatted(length, size));
    }
    byte[] json = bytes(channel, LENGTH_BYTES, (int) length).array();
    SafetensorsHeader header = new SafetensorsHeader(file, LENGTH_BYTES + length, size);
    return header.entries(parse(file, json));
  }

  private static JsonNode parse(Path file, byte[] json) {
    try {
      JsonNode tree = JSON.readTree(json);
      if (tree == null || !tree.isObject()) {
        throw broken(file, "has a header that isn't a JSON object");
      }
      return tree;
    } catch (JsonProcessingException e) {
      throw broken(file, "has a header that isn't JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw broken(file, "has a header that isn't JSON: " + e.getMessage());
    }
  }

  private Map<String, TensorEntry> entries(JsonNode tree) {
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    tree.properties()
        .forEach(
            field -> {
              if (!field.getKey().equals("__metadata__")) {
                entries.put(field.getKey(), entry(field.getKey(), field.getValue()));
              }
            });
    checkRanges(entries);
    return entries;
  }

  private TensorEntry entry(String name, JsonNode node) {
    String typeName = node.path("dtype").asText();
    TensorType type =
        TensorType.named(typeName)
            .orElseThrow(
                () ->
                    broken(
                        name,
                        "has the unknown dtype '%s'; known are %s"
                            .formatted(typeName, TensorType.names())));
    long[] shape = naturals(name, node, "shape");
    long[] range = naturals(name, node, "data_offsets");
    if (range.length != 2 || range[1] < range[0]) {
      throw broken(name, "has data_offsets that aren't a range: " + node.path("data_offsets"));
    }
    long bytes = bytesOf(name, type, shape);
    if (bytes != range[1] - range[0]) {
      throw broken(
          name,
          "has the shape %s of %s, %d bytes, but a range of %d bytes"
              .formatted(node.path("shape"), type, bytes, range[1] - range[0]));
    }
    if (range[1] > fileSize - dataStart) {
      throw broken(
          name,
          "ends at byte %d, but the file ends at %d: it is cut short, copy it again"
              .formatted(dataStart + range[1], fileSize));
    }
    return new TensorEntry(name, type, shape, dataStart + range[0], bytes);
  }

  private long[] naturals(String name, JsonNode node, String key) {
    JsonNode array = node.path(key);
    long[] numbers = new long[array.size()];
    boolean valid = array.isArray();
    for (int i = 0; valid && i < numbers.length; i++) {
      valid = array.get(i).canConvertToLong() && array.get(i).isIntegralNumber();
      numbers[i] = array.get(i).asLong();
      valid = valid && numbers[i] >= 0;
    }
    if (!valid) {
      throw broken(name, "has %s that isn't a list of whole numbers: %s".formatted(key, array));
    }
    return numbers;
  }

  private long bytesOf(String name, TensorType type, long[] shape) {
    try {
      long bytes = type.bytes();
      for (long size : shape) {
        bytes = Math.multiplyExact(bytes, size);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw broken(name, "has a shape too large for any file");
    }
  }

  /** The ranges must follow one another without a gap and end with the file. */
  private void checkRanges(Map<String, TensorEntry> entries) {
    List<TensorEntry> ordered = new ArrayList<>(entries.values());
    ordered.sort(
        Comparator.comparingLong(TensorEntry::offset).thenComparingLong(TensorEntry::bytes));
    long end = dataStart;
    for (TensorEntry entry : ordered) {
      if (entry.offset() < end) {
        throw broken(entry.name(), "overlaps the tensor before it");
      }
      if (entry.offset() > end) {
        throw broken(
            entry.name(),
            "leaves a gap of %d bytes to the tensor before it".formatted(entry.offset() - end));
      }
      end += entry.bytes();
    }
    if (end != fileSize) {
      throw broken(
          file, "has %d bytes behind its last tensor; copy it again".formatted(fileSize - end));
    }
  }

  private static ByteBuffer bytes(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException("it became shorter while being read");
      }
    }
    return buffer.flip();
  }

  private TrainerException broken(String tensor, String what) {
    return broken(file, "is broken: tensor " + tensor + " " + what);
  }

  private static TrainerException broken(Path file, String what) {
    return new TrainerException(TrainerExit.MODEL, file + " " + what);
  }
}
