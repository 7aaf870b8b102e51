package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;

/**
 * Reads a .json file: one array of rows, as a stream. Behind broken JSON no row can be found any
 * more, so that is the file's last fault.
 */
final class JsonArrayReader implements RowReader {
  @Override
  public void read(Path file, Sink sink) throws IOException {
    // Jackson's own decoder guesses what isn't UTF-8.
    try (Reader text = RowReader.text(file);
        JsonParser parser = MAPPER.createParser(text)) {
      try {
        rows(parser, sink);
      } catch (JsonProcessingException e) {
        int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
        sink.broken(line, RowReader.brokenJson(e));
      } catch (CharacterCodingException e) {
        int line = parser.currentLocation().getLineNr();
        sink.broken(line, NOT_UTF_8);
      }
    }
  }

  private static void rows(JsonParser parser, Sink sink) throws IOException {
    JsonToken first = parser.nextToken();
    if (first == null) {
      return;
    }
    if (first != JsonToken.START_ARRAY) {
      sink.broken(
          parser.currentTokenLocation().getLineNr(),
          "not a JSON array; a .json file holds [row, row, ...]; name a file with a row a line"
              + " .jsonl");
      return;
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      int line = parser.currentTokenLocation().getLineNr();
      JsonNode row = MAPPER.readTree(parser);
      sink.row(line, row);
    }
    if (parser.nextToken() != null) {
      sink.broken(
          parser.currentTokenLocation().getLineNr(),
          "more JSON behind the end of the array; remove it");
    }
  }
}
