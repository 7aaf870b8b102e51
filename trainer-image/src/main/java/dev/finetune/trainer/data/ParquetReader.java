package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;

/**
 * Reads a .parquet file, a row group at a time. It has no lines: what other readers give as a line
 * is the row's number.
 */
final class ParquetReader implements RowReader {
  @Override
  public void read(Path file, Sink sink) throws IOException {
    int number = 1;
    try (Records records = open(file, sink)) {
      ObjectNode row = next(records, number, sink);
      while (row != null) {
        sink.row(number, row);
        number++;
        row = next(records, number, sink);
      }
    }
  }

  /** Parquet throws RuntimeExceptions of many kinds for what it can't read. */
  private static Records open(Path file, Sink sink) throws IOException {
    try {
      return new Records(file);
    } catch (RuntimeException e) {
      sink.broken(1, "not a Parquet file that can be read: " + reason(e));
      return null;
    }
  }

  private static ObjectNode next(Records records, int number, Sink sink) throws IOException {
    try {
      return records == null ? null : records.next();
    } catch (RuntimeException e) {
      sink.broken(number, "broken Parquet in this row's group: " + reason(e));
      return null;
    }
  }

  private static String reason(RuntimeException e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse("").strip();
  }

  /** The rows of all row groups one after another. */
  private static final class Records implements AutoCloseable {
    private final ParquetFileReader file;
    private final MessageType schema;
    private final MessageColumnIO columns;
    private RecordReader<Group> group;
    private long left;

    Records(Path path) throws IOException {
      ParquetReadOptions options =
          ParquetReadOptions.builder(new PlainParquetConfiguration())
              .withCodecFactory(new ParquetCodecs())
              .build();
      file = ParquetFileReader.open(new LocalInputFile(path), options);
      schema = file.getFileMetaData().getSchema();
      columns = new ColumnIOFactory().getColumnIO(schema);
    }

    /** The next row; null behind the last. */
    ObjectNode next() throws IOException {
      while (left == 0) {
        PageReadStore pages = file.readNextRowGroup();
        if (pages == null) {
          return null;
        }
        group = columns.getRecordReader(pages, new GroupRecordConverter(schema));
        left = pages.getRowCount();
      }
      left--;
      return ParquetRows.object(group.read());
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
