package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads a .jsonl file: a row a line. Blank lines and a byte order mark are skipped. A line that is
 * broken doesn't hide the faults of the lines behind it.
 */
final class JsonlReader implements RowReader {
  private static final ObjectReader ROW =
      MAPPER.reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final String BYTE_ORDER_MARK = "\ufeff";

  @Override
  public void read(Path file, Sink sink) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      int number = 1;
      for (int b = in.read(); b >= 0; b = in.read()) {
        if (b == '\n') {
          line(line.toByteArray(), number, sink);
          line.reset();
          number++;
        } else {
          line.write(b);
        }
      }
      line(line.toByteArray(), number, sink);
    }
  }

  private static void line(byte[] bytes, int number, Sink sink) {
    try {
      String text = decode(bytes);
      if (number == 1 && text.startsWith(BYTE_ORDER_MARK)) {
        text = text.substring(1);
      }
      if (!text.isBlank()) {
        sink.row(number, ROW.readTree(text));
      }
    } catch (CharacterCodingException e) {
      sink.fault(number, "not UTF-8; save the file as UTF-8");
    } catch (MismatchedInputException e) {
      // Any JSON fits a JsonNode: the only mismatch is a second value behind the first.
      sink.fault(number, "more JSON behind the row; a .jsonl file holds one JSON object a line");
    } catch (JsonProcessingException e) {
      sink.fault(number, RowReader.brokenJson(e) + "; a .jsonl file holds one JSON object a line");
    }
  }

  private static String decode(byte[] bytes) throws CharacterCodingException {
    return StandardCharsets.UTF_8
        .newDecoder()
        .onMalformedInput(CodingErrorAction.REPORT)
        .onUnmappableCharacter(CodingErrorAction.REPORT)
        .decode(ByteBuffer.wrap(bytes))
        .toString();
  }
}
