package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Reads a .jsonl file: a row a line. Blank lines and a byte order mark are skipped. A line that is
 * broken doesn't hide the faults of the lines behind it.
 */
final class JsonlReader implements RowReader {
  private static final ObjectReader ROW =
      MAPPER.reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  @Override
  public void read(Path file, Sink sink) throws IOException {
    TextLines.read(file, sink, (number, text) -> line(text, number, sink));
  }

  private static void line(String text, int number, Sink sink) {
    try {
      sink.row(number, ROW.readTree(text));
    } catch (MismatchedInputException e) {
      // Any JSON fits a JsonNode: the only mismatch is a second value behind the first.
      sink.fault(number, "more JSON behind the row; a .jsonl file holds one JSON object a line");
    } catch (JsonProcessingException e) {
      sink.fault(number, RowReader.brokenJson(e) + "; a .jsonl file holds one JSON object a line");
    }
  }
}
