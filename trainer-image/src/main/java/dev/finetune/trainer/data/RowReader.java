package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads the rows of a data file one after another, with the lines that they begin on. */
interface RowReader {
  /** Two columns of one name are an error: JSON would silently keep the last. */
  ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .build();

  /** What is said of a file in another encoding, behind its place. */
  String NOT_UTF_8 = "not UTF-8, on this line or behind it; save the file as UTF-8";

  /** Receives what a file holds. */
  interface Sink {
    /**
     * Takes a row.
     *
     * @param line the line that it begins on, from 1
     * @param row any JSON value
     */
    void row(int line, JsonNode row);

    /** Takes the note that a row can't be read; those behind it can. */
    void fault(int line, String message);

    /** Takes the note that the file can't be read from this line on. */
    void broken(int line, String message);
  }

  void read(Path file, Sink sink) throws IOException;

  /**
   * Opens a file as text, behind its byte order mark where it has one. What isn't UTF-8 is reported
   * while reading, as a {@link java.nio.charset.CharacterCodingException}.
   */
  static BufferedReader text(Path file) throws IOException {
    InputStream bytes = new BufferedInputStream(Files.newInputStream(file));
    bytes.mark(3);
    if (!Arrays.equals(bytes.readNBytes(3), new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf})) {
      bytes.reset();
    }
    return new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8.newDecoder()));
  }

  /** What Jackson found wrong, in one line, without its own idea of the place. */
  static String brokenJson(JsonProcessingException e) {
    JsonLocation location = e.getLocation();
    String where = location == null ? "" : " at column " + location.getColumnNr();
    String what = e.getOriginalMessage().lines().findFirst().orElse("");
    return "broken JSON" + where + ": " + what;
  }
}
