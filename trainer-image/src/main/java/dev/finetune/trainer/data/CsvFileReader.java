package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.node.ObjectNode;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * Reads a .csv file (RFC 4180): a line with the columns' names, then records, whose quoted fields
 * may hold line breaks. Behind a quote that isn't closed no record can be found any more, so that
 * is the file's last fault; a record with too few or too many fields hides no other.
 */
final class CsvFileReader implements RowReader {
  /** Most characters of a field, so that a quote that isn't closed doesn't fill the memory. */
  private static final int LONGEST_FIELD = 64 << 20;

  @Override
  public void read(Path file, Sink sink) throws IOException {
    int line = 1;
    try (Reader text = RowReader.text(file);
        CsvReader<CsvRecord> records = records(text)) {
      Iterator<CsvRecord> all = records.iterator();
      List<String> columns = all.hasNext() ? all.next().getFields() : List.of();
      Set<String> seen = new HashSet<>();
      for (String column : columns) {
        if (!seen.add(column)) {
          sink.broken(1, "two columns are named '" + column + "'; rename one of them");
          return;
        }
      }
      while (all.hasNext()) {
        CsvRecord record = all.next();
        line = Math.toIntExact(record.getStartingLineNumber());
        record(record.getFields(), columns, line, sink);
      }
    } catch (CsvParseException e) {
      sink.broken(line, "broken CSV on this line or behind it: " + reason(e));
    } catch (UncheckedIOException e) {
      if (!(e.getCause() instanceof CharacterCodingException)) {
        throw e.getCause();
      }
      sink.broken(line, NOT_UTF_8);
    }
  }

  private static CsvReader<CsvRecord> records(Reader text) {
    // The numbers of fields are compared here, so that each record is told of and none hides
    // others.
    return CsvReader.builder()
        .skipEmptyLines(true)
        .allowMissingFields(true)
        .allowExtraFields(true)
        .allowExtraCharsAfterClosingQuote(false)
        .maxBufferSize(LONGEST_FIELD)
        .ofCsvRecord(text);
  }

  private static void record(List<String> fields, List<String> columns, int line, Sink sink) {
    if (fields.size() != columns.size()) {
      sink.fault(
          line,
          "%d fields, and the line of names has %d (%s); quote fields that hold commas or line breaks"
              .formatted(fields.size(), columns.size(), String.join(", ", columns)));
      return;
    }
    ObjectNode row = MAPPER.createObjectNode();
    for (int i = 0; i < fields.size(); i++) {
      row.put(columns.get(i), fields.get(i));
    }
    sink.row(line, row);
  }

  private static String reason(CsvParseException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return cause.getMessage();
  }
}
