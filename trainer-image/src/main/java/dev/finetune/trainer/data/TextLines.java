package dev.finetune.trainer.data;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The lines of a UTF-8 file, behind its byte order mark. A line in another encoding doesn't hide
 * those behind it.
 */
final class TextLines {
  private static final String BYTE_ORDER_MARK = "\ufeff";

  private TextLines() {}

  /** Takes a line that isn't blank. */
  interface Taker {
    void line(int number, String text);
  }

  /**
   * Reads a file.
   *
   * @param file the file
   * @param sink hears of lines that aren't UTF-8
   * @param taker takes the others
   */
  static void read(Path file, RowReader.Sink sink, Taker taker) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      int number = 1;
      for (int b = in.read(); b >= 0; b = in.read()) {
        if (b == '\n') {
          take(line.toByteArray(), number, sink, taker);
          line.reset();
          number++;
        } else {
          line.write(b);
        }
      }
      take(line.toByteArray(), number, sink, taker);
    }
  }

  private static void take(byte[] bytes, int number, RowReader.Sink sink, Taker taker) {
    String text;
    try {
      // A new decoder reports what isn't UTF-8, where String's constructor replaces it.
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      sink.fault(number, "not UTF-8; save the file as UTF-8");
      return;
    }
    if (number == 1 && text.startsWith(BYTE_ORDER_MARK)) {
      text = text.substring(1);
    }
    if (!text.isBlank()) {
      taker.line(number, text);
    }
  }
}
