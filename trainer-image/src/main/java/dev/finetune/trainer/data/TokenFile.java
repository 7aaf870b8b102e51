package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Tokens in a temporary file, written once and mapped into memory for reading, so that the system
 * keeps of them what there is room for. The file lies in TMPDIR (by default the JVM's
 * java.io.tmpdir, /tmp); its name is removed as soon as it is open, so nothing is left of it
 * however the program ends.
 */
final class TokenFile implements AutoCloseable {
  /** Environment variable of the folder, POSIX's. */
  static final String FOLDER = "TMPDIR";

  private static final int BUFFER_BYTES = 4 << 20;

  /** Room that is left to others in the folder. */
  private static final long RESERVE_BYTES = 64L << 20;

  private static final long SEGMENT_BYTES = 1L << 30;

  private final Path folder;
  private final FileChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
  private final List<MappedByteBuffer> segments = new ArrayList<>();
  private long written;

  private TokenFile(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /**
   * Makes an empty file.
   *
   * @throws TrainerException with {@link TrainerExit#OUTPUT} if it can't be made
   */
  static TokenFile create() {
    String chosen = System.getenv(FOLDER);
    Path folder =
        Path.of(chosen == null || chosen.isEmpty() ? System.getProperty("java.io.tmpdir") : chosen);
    try {
      Path file = Files.createTempFile(folder, "trainer-tokens-", ".tmp");
      FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
      return new TokenFile(folder, channel);
    } catch (IOException e) {
      throw cannot(folder, "%s: %s".formatted(e.getClass().getSimpleName(), e.getMessage()), e);
    }
  }

  private static TrainerException cannot(Path folder, String reason, Exception cause) {
    return new TrainerException(
        TrainerExit.OUTPUT,
        "the tokenised rows need a temporary file in %s, which can't be written: %s; make room there, or set %s to a folder with more"
            .formatted(folder, reason, FOLDER),
        cause);
  }

  /**
   * Appends a row.
   *
   * @throws TrainerException with {@link TrainerExit#OUTPUT} if there is no room
   */
  void write(int[] tokens) {
    for (int token : tokens) {
      if (!buffer.hasRemaining()) {
        flush();
      }
      buffer.putInt(token);
    }
  }

  private void flush() {
    buffer.flip();
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      if (free < buffer.remaining() + RESERVE_BYTES) {
        throw cannot(
            folder,
            "it has %d MiB free after %d MiB of tokens".formatted(free >> 20, written >> 20),
            null);
      }
      while (buffer.hasRemaining()) {
        written += channel.write(buffer);
      }
    } catch (IOException e) {
      throw cannot(folder, e.getMessage(), e);
    }
    buffer.clear();
  }

  /**
   * Ends writing and maps the file.
   *
   * @param longest tokens of the longest row: by as much the segments overlap, so that each row
   *     lies in one
   */
  void finish(int longest) {
    flush();
    try (channel) {
      for (long start = 0; start < written; start += SEGMENT_BYTES) {
        long end = Math.min(written, start + SEGMENT_BYTES + (long) longest * Integer.BYTES);
        MappedByteBuffer segment = channel.map(FileChannel.MapMode.READ_ONLY, start, end - start);
        segment.order(ByteOrder.nativeOrder());
        segments.add(segment);
      }
    } catch (IOException e) {
      throw cannot(folder, e.getMessage(), e);
    }
  }

  /**
   * A row's tokens.
   *
   * @param start tokens before it
   * @param length its tokens
   */
  IntBuffer read(long start, int length) {
    long bytes = start * Integer.BYTES;
    MappedByteBuffer segment = segments.get((int) (bytes / SEGMENT_BYTES));
    return segment
        .slice((int) (bytes % SEGMENT_BYTES), length * Integer.BYTES)
        .order(ByteOrder.nativeOrder())
        .asIntBuffer();
  }

  /** Ends writing without reading. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw cannot(folder, e.getMessage(), e);
    }
  }
}
