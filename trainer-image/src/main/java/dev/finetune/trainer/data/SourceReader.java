package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.DatasetSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads data files row by row, and notes every fault of them. Keeps no row. */
final class SourceReader {
  private static final Map<String, RowReader> KINDS =
      Map.of(
          ".jsonl", new JsonlReader(),
          ".json", new JsonArrayReader(),
          ".csv", new CsvFileReader(),
          ".parquet", new ParquetReader(),
          ".txt", new TextReader());

  private static final String SUPPORTED =
      "supported are .json (an array of rows), .jsonl (a row a line), .csv (behind a line of the"
          + " columns' names), .parquet and .txt (a text a line)";

  private final String systemPrompt;
  private final long seed;
  private final PictureFolder pictures;

  /**
   * @param systemPrompt system turn of conversations that have none; null or empty for none
   * @param seed seed of the samples
   * @param pictures where the rows' pictures lie
   */
  SourceReader(String systemPrompt, long seed, PictureFolder pictures) {
    this.systemPrompt = systemPrompt;
    this.seed = seed;
    this.pictures = pictures;
  }

  /** Takes what a source holds, in the file's order. */
  interface Taker {
    void row(SourceRow row);

    /** Takes what is wrong with a row. */
    void fault(String origin, String message);

    /** Takes what is wrong with the file. */
    void broken(String origin, String message);
  }

  /**
   * Reads a source; a sample of its rows where it asks for one. A sample is drawn from the rows
   * that can be read, so that such a file is read twice.
   *
   * @param source the source as the recipe has it
   * @param file where it lies
   * @param number the source's number, from 0, so that each has a sample of its own
   * @param taker takes rows and faults
   */
  void read(DatasetSource source, Path file, int number, Taker taker) {
    String shown = source.source().replaceFirst("^file://", "");
    RowReader reader = reader(shown);
    if (reader == null) {
      taker.broken(shown, "the file's kind isn't supported; " + SUPPORTED);
      return;
    } else if (!Files.isRegularFile(file)) {
      String what = Files.isDirectory(file) ? "is a folder; name a file in it" : "doesn't exist";
      taker.broken(shown, "the file " + what + " (looked for " + file + ")");
      return;
    }
    Pass pass = new Pass(source, shown, file, number);
    if (source.sample() == null) {
      pass.read(reader, taker);
      return;
    }
    Sample sample = new Sample(taker);
    pass.read(reader, sample);
    sample.draw(source.sample(), new SplitMix64(seed, SplitMix64.Purpose.SAMPLE, number));
    new Pass(source, shown, file, number).read(reader, sample);
  }

  private static RowReader reader(String name) {
    int dot = name.lastIndexOf('.');
    return dot < 0 ? null : KINDS.get(name.substring(dot).toLowerCase(Locale.ROOT));
  }

  /**
   * Passes the faults of a first reading on and counts its rows; of a second, passes those drawn.
   */
  private static final class Sample implements Taker {
    private final Taker taker;
    private BitSet drawn;
    private int rows;

    Sample(Taker taker) {
      this.taker = taker;
    }

    void draw(int size, SplitMix64 random) {
      int[] order = random.permutation(rows);
      drawn = new BitSet(rows);
      for (int i = 0; i < Math.min(size, rows); i++) {
        drawn.set(order[i]);
      }
      rows = 0;
    }

    @Override
    public void row(SourceRow row) {
      if (drawn != null && drawn.get(rows)) {
        taker.row(row);
      }
      rows++;
    }

    @Override
    public void fault(String origin, String message) {
      if (drawn == null) {
        taker.fault(origin, message);
      }
    }

    @Override
    public void broken(String origin, String message) {
      if (drawn == null) {
        taker.broken(origin, message);
      }
    }
  }

  /** One reading of a file. */
  private final class Pass {
    private final String shown;
    private final Path file;
    private final int number;
    private final ColumnNames names;
    private RowFormat format;

    /** Whether the columns aren't those of the format: the same would be said of each row. */
    private boolean misnamed;

    private int seen;

    Pass(DatasetSource source, String shown, Path file, int number) {
      this.shown = shown;
      this.file = file;
      this.number = number;
      this.names = new ColumnNames(source.columns());
      this.format = RowFormats.named(source.format());
    }

    void read(RowReader reader, Taker taker) {
      try {
        reader.read(file, sink(taker));
      } catch (IOException e) {
        taker.broken(shown, "the file can't be read: " + e.getMessage());
        return;
      }
      if (seen == 0) {
        taker.broken(shown, "the file has no rows");
      }
    }

    private RowReader.Sink sink(Taker taker) {
      return new RowReader.Sink() {
        @Override
        public void row(int line, JsonNode row) {
          seen++;
          if (!misnamed) {
            convert(line, row, taker);
          }
        }

        @Override
        public void fault(int line, String message) {
          seen++;
          taker.fault(shown + ":" + line, message);
        }

        @Override
        public void broken(int line, String message) {
          seen++;
          taker.broken(shown + ":" + line, message);
        }
      };
    }

    private void convert(int line, JsonNode row, Taker taker) {
      Content content;
      try {
        if (!(row instanceof ObjectNode object)) {
          throw new RowFault("not an object but " + RowFormat.typeName(row) + "; a row is {...}");
        }
        ObjectNode renamed = name(object);
        content = PictureTags.of(format.content(renamed), renamed);
        content = withSystemPrompt(found(content));
      } catch (RowFault e) {
        if (misnamed) {
          taker.broken(shown + ":" + line, e.getMessage());
        } else {
          taker.fault(shown + ":" + line, e.getMessage());
        }
        return;
      }
      taker.row(new SourceRow(number, shown, line, content));
    }

    /** Looks up where the pictures lie. */
    private Content found(Content content) throws RowFault {
      if (!(content instanceof Conversation conversation)) {
        return content;
      }
      List<String> paths = new ArrayList<>();
      for (String name : conversation.pictures()) {
        paths.add(pictures.find(name, file).toString());
      }
      return new Conversation(conversation.messages(), paths, conversation.objects());
    }

    /** Gives the columns the format's names; the first row shows whether they are there. */
    private ObjectNode name(ObjectNode row) throws RowFault {
      ObjectNode renamed = names.rename(row);
      if (seen == 1 || format == null) {
        misnamed = true;
        names.check(row);
        if (format == null) {
          format = RowFormats.detect(renamed);
        }
        misnamed = false;
      }
      return renamed;
    }
  }

  private Content withSystemPrompt(Content content) {
    if (!(content instanceof Conversation conversation)
        || systemPrompt == null
        || systemPrompt.isEmpty()
        || conversation.messages().get(0).role().equals(Message.SYSTEM)) {
      return content;
    }
    List<Message> all = new ArrayList<>();
    all.add(new Message(Message.SYSTEM, systemPrompt));
    all.addAll(conversation.messages());
    return new Conversation(all, conversation.pictures(), conversation.objects());
  }
}
