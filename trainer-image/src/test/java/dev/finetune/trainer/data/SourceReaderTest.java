package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourceReaderTest {
  private static final Path PARQUET = Path.of("src/test/resources/parquet");

  @TempDir Path folder;

  /** What a source gave, one after the other: rows as line=text, faults as line: message. */
  private static final class Taken implements SourceReader.Taker {
    private final List<Content> contents = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();
    private final List<String> broken = new ArrayList<>();

    @Override
    public void row(SourceRow row) {
      contents.add(row.content());
      lines.add(row.origin());
    }

    @Override
    public void fault(String origin, String message) {
      faults.add(origin + ": " + message);
    }

    @Override
    public void broken(String origin, String message) {
      broken.add(origin + ": " + message);
    }
  }

  private static Taken read(Path file, Map<String, ?> settings) {
    Map<String, Object> source = new HashMap<>(settings);
    source.put("source", "pvc://d/" + file.getFileName());
    Taken taken = new Taken();
    new SourceReader(null, 0, new PictureFolder(null, Path::of))
        .read(DatasetFixture.first(source), file, 0, taken);
    return taken;
  }

  private Taken read(String name, String text, Map<String, ?> settings) throws IOException {
    return read(Files.writeString(folder.resolve(name), text), settings);
  }

  private Taken read(String name, String text) throws IOException {
    return read(name, text, Map.of());
  }

  private static String lines(String... lines) {
    return String.join("\n", lines);
  }

  private static String windowsLines(String... lines) {
    return String.join("\r\n", lines);
  }

  private static Conversation exchange(String question, String answer) {
    return new Conversation(
        List.of(new Message(Message.USER, question), new Message(Message.ASSISTANT, answer)));
  }

  @Test
  void csvRecordsOverSeveralLinesAreNamedByTheirFirst() throws IOException {
    Taken taken =
        read(
            "a.csv",
            windowsLines(
                "\ufeffquery,response,note",
                "a,\"b",
                "c, \"\"d\"\"\",",
                "",
                "e,f,g",
                "h,i",
                "j,k,l"));

    assertThat(taken.contents)
        .containsExactly(exchange("a", "b\r\nc, \"d\""), exchange("e", "f"), exchange("j", "k"));
    assertThat(taken.lines)
        .containsExactly("pvc://d/a.csv:2", "pvc://d/a.csv:5", "pvc://d/a.csv:7");
    assertThat(taken.faults)
        .containsExactly(
            "pvc://d/a.csv:6: 2 fields, and the line of names has 3 (query, response, note); quote"
                + " fields that hold commas or line breaks");
  }

  @Test
  void aCsvFileIsBrokenWhereItsQuotesAreAndItsNamesMustDiffer() throws IOException {
    Taken quotes = read("q.csv", lines("query,response", "a,b", "c,\"d\"e", "f,g"));
    Taken names = read("n.csv", "query,query\na,b\n");

    assertThat(quotes.contents).containsExactly(exchange("a", "b"));
    assertThat(quotes.broken)
        .singleElement()
        .asString()
        .startsWith("pvc://d/q.csv:2: broken CSV on this line or behind it: ");
    assertThat(names.broken)
        .containsExactly("pvc://d/n.csv:1: two columns are named 'query'; rename one of them");
  }

  @Test
  void aCsvFileThatIsNotUtf8IsBroken() throws IOException {
    Path file = folder.resolve("l.csv");
    Files.write(file, "query,response\né,b\n".getBytes(StandardCharsets.ISO_8859_1));

    assertThat(read(file, Map.of()).broken)
        .containsExactly(
            "pvc://d/l.csv:1: not UTF-8, on this line or behind it; save the file as UTF-8");
  }

  @Test
  void listsInACsvFileAreJson() throws IOException {
    Taken taken =
        read(
            "h.csv",
            lines(
                "query,response,history",
                "c,d,\"[[\"\"a\"\", \"\"b\"\"]]\"",
                "e,f,",
                "g,h,\"[[\"\"a\"\"]\""));

    assertThat(taken.contents)
        .containsExactly(
            new Conversation(
                List.of(
                    new Message(Message.USER, "a"),
                    new Message(Message.ASSISTANT, "b"),
                    new Message(Message.USER, "c"),
                    new Message(Message.ASSISTANT, "d"))),
            exchange("e", "f"));
    assertThat(taken.faults)
        .singleElement()
        .asString()
        .startsWith("pvc://d/h.csv:4: 'history': broken JSON at column");
  }

  @Test
  void aTextFileIsATextALine() throws IOException {
    Taken taken = read("t.txt", windowsLines("\ufeffone", "", "  two"));

    assertThat(taken.contents).containsExactly(new PlainText("one"), new PlainText("  two"));
    assertThat(taken.lines).containsExactly("pvc://d/t.txt:1", "pvc://d/t.txt:3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "snappy", "gzip", "zstd", "lz4"})
  void parquetHoldsMessagesInEveryCompression(String codec) {
    Taken taken = read(PARQUET.resolve(codec + ".parquet"), Map.of());

    assertThat(taken.broken).isEmpty();
    assertThat(taken.contents).hasSize(5);
    assertThat(taken.contents.get(4)).isEqualTo(exchange("question 4 水", "answer 4 🌊"));
    assertThat(taken.lines).last().isEqualTo("pvc://d/%s.parquet:5".formatted(codec));
  }

  @Test
  void parquetsTypesAreThoseOfJson() throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    new ParquetReader()
        .read(
            PARQUET.resolve("none.parquet"),
            new RowReader.Sink() {
              @Override
              public void row(int line, JsonNode row) {
                rows.add(row);
              }

              @Override
              public void fault(int line, String message) {
                throw new AssertionError(message);
              }

              @Override
              public void broken(int line, String message) {
                throw new AssertionError(message);
              }
            });

    assertThat(rows.get(0).toString())
        .isEqualTo(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"question 0 水\"},"
                + "{\"role\":\"assistant\",\"content\":\"answer 0 🌊\"}],\"number\":0,"
                + "\"score\":0.0,\"good\":true,\"source\":{\"name\":\"made\",\"page\":\"p0\"},"
                + "\"tags\":[],\"history\":[],\"extra\":null}");
    assertThat(rows.get(3).get("tags").toString()).isEqualTo("[\"a\",null]");
    assertThat(rows.get(3).get("history").toString()).isEqualTo("[[\"q\",\"a\"]]");
    assertThat(rows.get(3).get("source").toString()).isEqualTo("{\"name\":\"made\",\"page\":null}");
  }

  @Test
  void aParquetFileThatCantBeReadIsToldOfWithWhatCould() throws IOException {
    Path cut = folder.resolve("cut.parquet");
    byte[] whole = Files.readAllBytes(PARQUET.resolve("none.parquet"));
    Files.write(cut, java.util.Arrays.copyOf(whole, whole.length / 2));

    assertThat(read(PARQUET.resolve("brotli.parquet"), Map.of()).broken)
        .containsExactly(
            "pvc://d/brotli.parquet:1: broken Parquet in this row's group: compressed with BROTLI;"
                + " write the file with SNAPPY, ZSTD, GZIP, LZ4_RAW or UNCOMPRESSED");
    assertThat(read(cut, Map.of()).broken)
        .singleElement()
        .asString()
        .startsWith("pvc://d/cut.parquet:1: not a Parquet file that can be read: ");
  }

  @Test
  void columnsAreRenamedToTheFormats() throws IOException {
    Taken taken =
        read(
            "c.jsonl",
            "{\"q\": \"a\", \"a\": \"b\", \"response\": \"other\"}\n{\"a\": \"d\", \"q\": \"c\"}\n",
            Map.of("columns", Map.of("query", "q", "response", "a")));

    assertThat(taken.contents).containsExactly(exchange("a", "b"), exchange("c", "d"));
  }

  @Test
  void aRenamedColumnThatIsMissingIsToldOfOnceWithThoseThatAreThere() throws IOException {
    Taken taken =
        read(
            "m.jsonl",
            "{\"q\": \"a\", \"a\": \"b\"}\n{\"q\": \"a\", \"a\": \"b\"}\n",
            Map.of("columns", Map.of("query", "question", "response", "a")));

    assertThat(taken.broken)
        .containsExactly(
            "pvc://d/m.jsonl:1: the source's columns name question, which the file doesn't have;"
                + " found q, a");
    assertThat(taken.contents).isEmpty();
    assertThat(taken.faults).isEmpty();
  }

  @Test
  void columnsOfTwoFormatsAreAnErrorThatNamesBoth() throws IOException {
    String row = "{\"query\": \"a\", \"response\": \"b\", \"messages\": []}\n";

    assertThat(read("two.jsonl", row).broken)
        .containsExactly(
            "pvc://d/two.jsonl:1: the columns fit Messages (messages) and QueryResponse (query,"
                + " response); set the source's format to one of them");
    assertThat(read("set.jsonl", row, Map.of("format", "QueryResponse")).contents)
        .containsExactly(exchange("a", "b"));
  }

  @Test
  void aTextBesideAnotherFormatsColumnsIsLeftAlone() throws IOException {
    assertThat(
            read("t.jsonl", "{\"instruction\": \"a\", \"output\": \"b\", \"text\": \"a b\"}\n")
                .contents)
        .containsExactly(exchange("a", "b"));
  }

  @Test
  void readsEveryFormOfShareGpt() throws IOException {
    Taken taken =
        read(
            "s.jsonl",
            lines(
                "{\"conversations\": [{\"from\": \"system\", \"value\": \"s\"}, {\"from\":"
                    + " \"human\", \"value\": \"a\"}, {\"from\": \"gpt\", \"value\": \"b\","
                    + " \"loss\": 0}]}",
                "{\"system\": \"s\", \"conversations\": [{\"from\": \"user\", \"value\": \"a\"},"
                    + " {\"from\": \"assistant\", \"value\": \"b\", \"weight\": 1}]}",
                "{\"system\": \"s\", \"conversation\": [{\"human\": \"a\", \"assistant\": \"b\"}]}",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\":"
                    + " \"observation\", \"value\": \"b\"}]}",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}]}",
                "{\"system\": \"s\", \"conversations\": [{\"from\": \"system\", \"value\":"
                    + " \"s\"}]}",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"gpt\","
                    + " \"value\": \"b\", \"loss\": 0.5}]}"));

    List<Boolean> losses =
        taken.contents.stream().map(row -> ((Conversation) row).messages().get(2).loss()).toList();
    assertThat(losses).containsExactly(false, true, null);
    assertThat(taken.contents)
        .allSatisfy(
            row ->
                assertThat(((Conversation) row).messages())
                    .extracting(Message::role)
                    .containsExactly("system", "user", "assistant"));
    assertThat(taken.faults)
        .containsExactly(
            "pvc://d/s.jsonl:4: 'conversations[1]': unknown role 'observation'; known are assistant,"
                + " gpt, human, system, user",
            "pvc://d/s.jsonl:5: no assistant turn; there is nothing to learn from this row",
            "pvc://d/s.jsonl:6: 'conversations[0]': a system turn can only be the first",
            "pvc://d/s.jsonl:7: 'conversations[1].loss' must be true, false, 0 or 1, not 0.5");
  }

  @Test
  void readsPromptsWithTheirCompletionsAsTextsAndAsMessages() throws IOException {
    String prompt =
        "[{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\":"
            + " \"b\"}, {\"role\": \"user\", \"content\": \"c\"}]";
    String completion = "[{\"role\": \"assistant\", \"content\": \"d\"}]";
    Taken taken =
        read(
            "p.jsonl",
            lines(
                "{\"prompt\": \"a \", \"completion\": \" b\"}",
                "{\"prompt\": " + prompt + ", \"completion\": " + completion + "}",
                "{\"prompt\": \"a\", \"completion\": " + completion + "}",
                "{\"prompt\": \"a\", \"completion\": \"\"}",
                "{\"prompt\": \"a\"}"));

    assertThat(taken.contents.get(0)).isEqualTo(new Continuation("a ", " b"));
    assertThat(((Conversation) taken.contents.get(1)).messages())
        .extracting(Message::loss)
        .containsExactly(false, false, false, null);
    assertThat(taken.faults)
        .containsExactly(
            "pvc://d/p.jsonl:3: 'prompt' and 'completion' must both be texts, or both lists of"
                + " messages",
            "pvc://d/p.jsonl:4: 'completion' is empty; remove the row or write the completion",
            "pvc://d/p.jsonl:5: no column 'completion'; found prompt");
  }

  @Test
  void queryResponseAndTextTellOfWhatIsEmpty() throws IOException {
    assertThat(
            read(
                    "q.jsonl",
                    "{\"query\": \" \", \"response\": \"b\"}\n{\"query\": \"a\", \"response\": \"\"}")
                .faults)
        .containsExactly(
            "pvc://d/q.jsonl:1: 'query' is empty; there is nothing to answer",
            "pvc://d/q.jsonl:2: 'response' is empty; remove the row or write the answer");
    assertThat(read("e.jsonl", "{\"text\": \" \"}\n{\"text\": 1}").faults)
        .containsExactly(
            "pvc://d/e.jsonl:1: 'text' is empty; remove the row",
            "pvc://d/e.jsonl:2: 'text' must be a string, not a number");
  }
}
