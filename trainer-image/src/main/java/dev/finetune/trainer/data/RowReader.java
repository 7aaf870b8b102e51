package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;

/** Reads the rows of a data file one after another, with the lines that they begin on. */
interface RowReader {
  /** Two columns of one name are an error: JSON would silently keep the last. */
  ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .build();

  /** Receives what a file holds. */
  interface Sink {
    /**
     * Takes a row.
     *
     * @param line the line that it begins on, from 1
     * @param row any JSON value
     */
    void row(int line, JsonNode row);

    /** Takes the note that a line can't be read. */
    void fault(int line, String message);
  }

  void read(Path file, Sink sink) throws IOException;

  /** What Jackson found wrong, in one line, without its own idea of the place. */
  static String brokenJson(JsonProcessingException e) {
    JsonLocation location = e.getLocation();
    String where = location == null ? "" : " at column " + location.getColumnNr();
    String what = e.getOriginalMessage().lines().findFirst().orElse("");
    return "broken JSON" + where + ": " + what;
  }
}
