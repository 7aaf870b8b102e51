package dev.finetune.trainer.data;

import java.io.IOException;
import java.nio.file.Path;

/** Reads a .txt file: a text a line, as rows of one column. Blank lines are skipped. */
final class TextReader implements RowReader {
  @Override
  public void read(Path file, Sink sink) throws IOException {
    TextLines.read(
        file,
        sink,
        (number, text) ->
            sink.row(number, MAPPER.createObjectNode().put(TextFormat.COLUMN, text(text))));
  }

  /** Windows ends lines with a carriage return before the newline. */
  private static String text(String line) {
    return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
  }
}
