package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.DatasetSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Reads a data file into conversations and notes every fault of it. */
final class ConversationReader {
  private static final String SUPPORTED =
      "supported are .json (an array of rows) and .jsonl (a row a line)";

  private final String systemPrompt;
  private final long seed;
  private final Faults faults;

  /**
   * @param systemPrompt system turn of conversations that have none; null or empty for none
   * @param seed seed of the samples
   * @param faults takes what is wrong
   */
  ConversationReader(String systemPrompt, long seed, Faults faults) {
    this.systemPrompt = systemPrompt;
    this.seed = seed;
    this.faults = faults;
  }

  /**
   * The conversations of a source, in the file's order; a sample of them where the source asks for
   * one.
   *
   * @param source the source as the recipe has it
   * @param file where it lies
   * @param number the source's number, from 0, so that each has a sample of its own
   */
  List<Conversation> read(DatasetSource source, Path file, int number) {
    String shown = source.source().replaceFirst("^file://", "");
    RowReader reader = reader(shown);
    if (reader == null) {
      faults.add(shown, "the file's kind isn't supported; " + SUPPORTED);
      return List.of();
    } else if (!Files.isRegularFile(file)) {
      String what = Files.isDirectory(file) ? "is a folder; name a file in it" : "doesn't exist";
      faults.add(shown, "the file " + what + " (looked for " + file + ")");
      return List.of();
    }
    Rows rows = new Rows(shown, source.format());
    try {
      reader.read(file, rows);
    } catch (IOException e) {
      faults.add(shown, "the file can't be read: " + e.getMessage());
      return List.of();
    }
    if (rows.seen == 0) {
      faults.add(shown, "the file has no rows");
    }
    return source.sample() == null ? rows.read : sample(rows.read, source.sample(), number);
  }

  private static RowReader reader(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.endsWith(".jsonl")) {
      return new JsonlReader();
    }
    return lower.endsWith(".json") ? new JsonArrayReader() : null;
  }

  private List<Conversation> sample(List<Conversation> rows, int size, int number) {
    if (size >= rows.size()) {
      return rows;
    }
    int[] drawn = new SplitMix64(seed, SplitMix64.Purpose.SAMPLE, number).permutation(rows.size());
    return Arrays.stream(drawn).limit(size).sorted().mapToObj(rows::get).toList();
  }

  /** Converts the rows of one file. */
  private final class Rows implements RowReader.Sink {
    private final String shown;
    private final List<Conversation> read = new ArrayList<>();
    private RowFormat format;
    private boolean unknownFormat;
    private int seen;

    Rows(String shown, DatasetFormat format) {
      this.shown = shown;
      this.format =
          switch (format) {
            case AUTO -> null;
            case ALPACA -> new AlpacaFormat();
            case MESSAGES -> new MessagesFormat();
            case SHARE_GPT, QUERY_RESPONSE, PROMPT_COMPLETION, TEXT ->
                throw new UnsupportedOperationException(format.name());
          };
    }

    @Override
    public void row(int line, JsonNode row) {
      seen++;
      if (unknownFormat) {
        return;
      }
      String origin = shown + ":" + line;
      try {
        if (!(row instanceof ObjectNode object)) {
          throw new RowFault("not an object but " + RowFormat.typeName(row) + "; a row is {...}");
        }
        if (format == null) {
          format = detect(object);
        }
        read.add(new Conversation(origin, withSystemPrompt(format.messages(object))));
      } catch (RowFault e) {
        faults.add(origin, e.getMessage());
      }
    }

    @Override
    public void fault(int line, String message) {
      seen++;
      faults.add(shown + ":" + line, message);
    }

    private RowFormat detect(ObjectNode row) throws RowFault {
      if (row.has("messages")) {
        return new MessagesFormat();
      } else if (row.has("instruction")) {
        return new AlpacaFormat();
      }
      // One fault for the file: the same would be said of each row.
      unknownFormat = true;
      throw new RowFault(
          "unknown format: found "
              + RowFormat.columns(row)
              + "; Alpaca has instruction, input,"
              + " output, and Messages has messages; rename the columns");
    }
  }

  private List<Message> withSystemPrompt(List<Message> messages) {
    boolean hasOwn = messages.get(0).role().equals(Message.SYSTEM);
    if (hasOwn || systemPrompt == null || systemPrompt.isEmpty()) {
      return messages;
    }
    List<Message> all = new ArrayList<>();
    all.add(new Message(Message.SYSTEM, systemPrompt));
    all.addAll(messages);
    return all;
  }
}
