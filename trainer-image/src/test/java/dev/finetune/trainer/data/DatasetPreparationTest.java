package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.DatasetOptions;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.trainer.RecipeFixture;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetPreparationTest {
  private static final Path MODEL = Path.of("src/test/resources/golden/tiny-llama/base");
  private static Tokenizer tokenizer;
  private static ChatTemplate template;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    tokenizer = Tokenizer.load(MODEL);
    template = ChatTemplate.load(MODEL, ChatTemplateName.AUTO, Clock.systemUTC());
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static TrainingOptions training(int maxLength, Overlong overlong, int seed) {
    ObjectNode options = new ObjectMapper().createObjectNode();
    options.put("maxLength", maxLength).put("seed", seed);
    options.putPOJO("overlong", overlong);
    return new ObjectMapper().convertValue(options, TrainingOptions.class);
  }

  private DatasetSource source(String name, String... lines) throws IOException {
    Files.writeString(folder.resolve(name), String.join("\n", lines));
    return DatasetFixture.source("pvc://data/" + name, DatasetFormat.AUTO);
  }

  private PreparedDataset prepare(
      String systemPrompt, DatasetOptions dataset, TrainingOptions training) {
    return new DatasetPreparation(
            () -> new RenderedForm(template, tokenizer),
            tokenizer,
            RowPictures.none(),
            systemPrompt,
            source -> folder.resolve(source.substring("pvc://data/".length())))
        .prepare(dataset, training);
  }

  private PreparedDataset prepare(DatasetSource... train) {
    return prepare(
        null, DatasetFixture.options(List.of(train), 0.0), training(512, Overlong.DROP, 42));
  }

  private void assertFaults(DatasetSource source, String... faults) {
    assertThatThrownBy(() -> prepare(source))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.DATA))
        .satisfies(
            e ->
                assertThat(e.getMessage().lines().skip(1).map(String::strip))
                    .containsExactly(faults));
  }

  private static String row(String question, String answer) {
    return new ObjectMapper()
        .createObjectNode()
        .put("instruction", question)
        .put("output", answer)
        .toString();
  }

  private static String[] rows(int count) {
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(row("Question " + i, "Answer " + i));
    }
    return rows.toArray(String[]::new);
  }

  private static String text(TokenizedExample example) {
    return tokenizer.decode(example.inputIds());
  }

  private static Set<String> origins(List<TokenizedExample> examples) {
    Set<String> origins = new HashSet<>();
    examples.forEach(example -> origins.add(example.origin()));
    return origins;
  }

  @Test
  void writesInstructionInputSystemAndHistoryAsTurns() throws IOException {
    PreparedDataset data =
        prepare(
            source(
                "a.json",
                "[",
                "{\"instruction\": \"Translate\", \"input\": \"water\", \"output\": \"水 🌊\",",
                " \"system\": \"Be brief.\", \"history\": [[\"Hi\", \"Hello\"], [\"1+1?\", \"2\"]]}",
                "]"));

    assertThat(data.train())
        .singleElement()
        .extracting(e -> e.origin())
        .isEqualTo("pvc://data/a.json:2");
    assertThat(text(data.train().get(0)))
        .isEqualTo(
            """
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            Hello<|im_end|>
            <|im_start|>user
            1+1?<|im_end|>
            <|im_start|>assistant
            2<|im_end|>
            <|im_start|>user
            Translate
            water<|im_end|>
            <|im_start|>assistant
            水 🌊<|im_end|>
            """);
  }

  @Test
  void usesTheRecipesSystemPromptWhereARowHasNone() throws IOException {
    DatasetSource source =
        source(
            "a.jsonl",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\","
                + " \"content\": \"Yo\"}]}",
            "{\"messages\": [{\"role\": \"system\", \"content\": \"Own\"}, {\"role\": \"user\","
                + " \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Yo\"}]}");
    DatasetOptions options = DatasetFixture.options(List.of(source), 0.0);

    List<TokenizedExample> train =
        prepare("Recipe's", options, training(512, Overlong.DROP, 1)).train();

    assertThat(text(train.get(0))).startsWith("<|im_start|>system\nRecipe's<|im_end|>\n");
    assertThat(text(train.get(1))).startsWith("<|im_start|>system\nOwn<|im_end|>\n");
  }

  @Test
  void toleratesAByteOrderMarkBlankLinesAndCarriageReturns() throws IOException {
    DatasetSource source =
        source("a.jsonl", "\ufeff" + row("a", "b") + "\r", "", "   \r", row("c", "d"), "");

    assertThat(prepare(source).train())
        .extracting(TokenizedExample::origin)
        .containsExactly("pvc://data/a.jsonl:1", "pvc://data/a.jsonl:4");
    assertThat(prepare(source("b.json", "\ufeff[" + row("a", "b") + "]")).train()).hasSize(1);
  }

  @Test
  void namesFileLineAndRemedyOfEveryAlpacaFault() throws IOException {
    assertFaults(
        source(
            "a.jsonl",
            row("fine", "fine"),
            "[1]",
            "{\"instruction\": \"x\", \"output\": 7}",
            "{\"instruction\": \"x\", \"answer\": \"y\"}",
            row("x", " \n"),
            row(" ", "y"),
            "{\"instruction\": \"x\", \"output\": ",
            "{\"instruction\": \"x\", \"output\": \"y\"} {}",
            "{\"instruction\": \"x\", \"output\": \"y\", \"output\": \"z\"}",
            "{\"instruction\": \"x\", \"output\": \"y\", \"history\": [[\"q\"]]}",
            "{\"instruction\": \"x\", \"output\": \"y\", \"history\": \"q\"}",
            "{\"instruction\": \"x\", \"output\": \"\\ud83d\"}",
            "{\"instruction\": \"x\", \"output\": \"y\", \"history\": [[\"q\", \"\"]]}"),
        "pvc://data/a.jsonl:2: not an object but an array; a row is {...}",
        "pvc://data/a.jsonl:3: 'output' must be a string, not a number",
        "pvc://data/a.jsonl:4: no column 'output'; found instruction, answer",
        "pvc://data/a.jsonl:5: 'output' is empty; remove the row or write the answer",
        "pvc://data/a.jsonl:6: 'instruction' and 'input' are empty; there is nothing to answer",
        "pvc://data/a.jsonl:7: broken JSON at column 32: Unexpected end-of-input within/between"
            + " Object entries; a .jsonl file holds one JSON object a line",
        "pvc://data/a.jsonl:8: more JSON behind the row; a .jsonl file holds one JSON object a line",
        "pvc://data/a.jsonl:9: broken JSON at column 45: Duplicate field 'output'; a .jsonl file"
            + " holds one JSON object a line",
        "pvc://data/a.jsonl:10: 'history[0]' must be [query, response]",
        "pvc://data/a.jsonl:11: 'history' must be a list of [query, response], not a string",
        "pvc://data/a.jsonl:12: 'output' has half a surrogate pair, \\ud83d; remove it",
        "pvc://data/a.jsonl:13: 'history[0][1]' is empty; remove the row or write the answer");
  }

  @Test
  void namesFileLineAndRemedyOfEveryMessagesFault() throws IOException {
    String user = "{\"role\": \"user\", \"content\": \"q\"}";
    String assistant = "{\"role\": \"assistant\", \"content\": \"a\"}";
    String system = "{\"role\": \"system\", \"content\": \"s\"}";
    List<String> lines = new ArrayList<>();
    for (String turns :
        List.of(
            user + "," + assistant,
            user + "," + user,
            assistant,
            system + "," + user,
            user + "," + assistant + "," + user,
            user + "," + assistant + "," + system,
            "{\"role\": \"human\", \"content\": \"q\"}",
            "{\"role\": \"user\"}",
            "{\"role\": \"user\", \"content\": null}",
            user + ",{\"role\": \"assistant\", \"content\": \"\"}",
            "\"Hi\"")) {
      lines.add("{\"messages\": [" + turns + "]}");
    }
    lines.add("{\"messages\": \"Hi\"}");
    lines.add("{\"text\": \"Hi\"}");
    assertFaults(
        source("m.jsonl", lines.toArray(String[]::new)),
        "pvc://data/m.jsonl:2: 'messages[1]': the roles must alternate, user first; user follows"
            + " user",
        "pvc://data/m.jsonl:3: 'messages[0]': the roles must alternate, user first; assistant"
            + " follows nothing",
        "pvc://data/m.jsonl:4: no assistant turn; there is nothing to learn from this row",
        "pvc://data/m.jsonl:5: the last turn is the user's; remove it or write the answer",
        "pvc://data/m.jsonl:6: 'messages[2]': a system turn can only be the first",
        "pvc://data/m.jsonl:7: 'messages[0]': unknown role 'human'; known are system, user,"
            + " assistant",
        "pvc://data/m.jsonl:8: 'messages[0]' has no 'content'",
        "pvc://data/m.jsonl:9: 'messages[0].content' must be a string, not null",
        "pvc://data/m.jsonl:10: 'messages[1]': the assistant's content is empty",
        "pvc://data/m.jsonl:11: 'messages[0]' must be {role, content}, not a string",
        "pvc://data/m.jsonl:12: 'messages' must be a list of {role, content}, not a string",
        "pvc://data/m.jsonl:13: no column 'messages'; found text");
  }

  @Test
  void saysOncePerFileThatItsFormatIsUnknown() throws IOException {
    assertFaults(
        source("q.jsonl", "{\"query\": \"x\", \"answer\": \"y\"}", "{\"query\": \"x\"}"),
        "pvc://data/q.jsonl:1: unknown format: found query, answer; known are Messages (messages),"
            + " ShareGPT (conversations), ShareGPT (conversation), Alpaca (instruction, output),"
            + " QueryResponse (query, response), PromptCompletion (prompt, completion) and Text"
            + " (text); name the columns that stand for them in the source's columns, such as"
            + " output: answer");
  }

  @Test
  void findsTheLineOfBrokenJsonInAnArray() throws IOException {
    assertThatThrownBy(
            () ->
                prepare(
                    source(
                        "a.json", "[", row("a", "b") + ",", "{\"instruction\": \"x\",", "oops}]")))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("pvc://data/a.json:4: broken JSON at column")
        .hasMessageContaining("1 fault in the data");
    assertFaults(
        source("b.json", row("a", "b")),
        "pvc://data/b.json:1: not a JSON array; a .json file holds [row, row, ...]; name a file with"
            + " a row a line .jsonl");
    assertFaults(
        source("c.json", "[" + row("a", "b") + "]", "[]"),
        "pvc://data/c.json:2: more JSON behind the end of the array; remove it");
  }

  @Test
  void refusesWhatIsNotUtf8WithItsLine() throws IOException {
    DatasetSource source = source("a.jsonl");
    Files.write(
        folder.resolve("a.jsonl"),
        (row("a", "b") + "\n" + row("é", "x"))
            .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));

    assertFaults(source, "pvc://data/a.jsonl:2: not UTF-8; save the file as UTF-8");
  }

  @Test
  void refusesFilesThatAreMissingEmptyOrOfAnotherKind() throws IOException {
    assertFaults(
        DatasetFixture.source("pvc://data/none.json", DatasetFormat.AUTO),
        "pvc://data/none.json: the file doesn't exist (looked for "
            + folder.resolve("none.json")
            + ")");
    assertFaults(source("e.jsonl", "", " "), "pvc://data/e.jsonl: the file has no rows");
    assertFaults(source("e.json", "[]"), "pvc://data/e.json: the file has no rows");
    assertFaults(source("z.json", ""), "pvc://data/z.json: the file has no rows");
    assertFaults(
        source("a.xlsx", "a,b"),
        "pvc://data/a.xlsx: the file's kind isn't supported; supported are .json (an array of rows),"
            + " .jsonl (a row a line), .csv (behind a line of the columns' names), .parquet and .txt"
            + " (a text a line)");
  }

  @Test
  void showsTwentyFaultsOfAllFilesAndCountsTheRest() throws IOException {
    String[] broken = new String[15];
    java.util.Arrays.fill(broken, "{");

    assertThatThrownBy(() -> prepare(source("a.jsonl", broken), source("b.jsonl", broken)))
        .hasMessageStartingWith("30 faults in the data:\n  pvc://data/a.jsonl:1: broken JSON")
        .hasMessageContaining("pvc://data/b.jsonl:5: ")
        .hasMessageEndingWith("\n  and 10 more")
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(22));
  }

  @Test
  void dropsOverlongRowsAndCountsThem() throws IOException {
    String longAnswer = "word ".repeat(200);
    DatasetSource source = source("a.jsonl", row("a", "b"), row("c", longAnswer), row("e", "f"));
    DatasetOptions options = DatasetFixture.options(List.of(source), 0.0);

    PreparedDataset data = prepare(null, options, training(64, Overlong.DROP, 1));

    assertThat(data.train())
        .extracting(TokenizedExample::origin)
        .containsExactly("pvc://data/a.jsonl:1", "pvc://data/a.jsonl:3");
    assertThat(data.verdict().rows()).isEqualTo(3);
    assertThat(data.verdict().dropped()).isEqualTo(1);
    assertThat(data.verdict().trainRows()).isEqualTo(2);
    assertThat(data.verdict().validationRows()).isZero();
    assertThat(data.verdict().maxLength())
        .isEqualTo(data.train().stream().mapToInt(TokenizedExample::length).max().orElseThrow());
    // b and f, each with the token that ends the turn and the newline behind it.
    assertThat(data.verdict().supervisedTokens()).isEqualTo(6);
  }

  @Test
  void cutsOverlongRowsOnEitherSide() throws IOException {
    DatasetSource source = source("a.jsonl", row("Say it", "one two three four five six"));
    DatasetOptions options = DatasetFixture.options(List.of(source), 0.0);
    TokenizedExample whole = prepare(null, options, training(512, Overlong.DROP, 1)).train().get(0);
    int cut = whole.length() - 3;

    TokenizedExample left =
        prepare(null, options, training(cut, Overlong.TRUNCATE_LEFT, 1)).train().get(0);
    TokenizedExample right =
        prepare(null, options, training(cut, Overlong.TRUNCATE_RIGHT, 1)).train().get(0);

    assertThat(left.inputIds())
        .isEqualTo(java.util.Arrays.copyOfRange(whole.inputIds(), 3, whole.length()));
    assertThat(left.labels())
        .isEqualTo(java.util.Arrays.copyOfRange(whole.labels(), 3, whole.length()));
    assertThat(right.inputIds()).isEqualTo(java.util.Arrays.copyOf(whole.inputIds(), cut));
    assertThat(right.labels()).isEqualTo(java.util.Arrays.copyOf(whole.labels(), cut));
  }

  @Test
  void saysWhatToDoWhereNothingIsLeft() throws IOException {
    DatasetSource source = source("a.jsonl", row("a ".repeat(100), "b"));
    DatasetOptions options = DatasetFixture.options(List.of(source), 0.0);

    assertThatThrownBy(() -> prepare(null, options, training(16, Overlong.TRUNCATE_RIGHT, 1)))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.DATA))
        .hasMessageMatching(
            "nothing is left of dataset.train: all 1 rows were dropped, .* training.maxLength 16 .*"
                + " the longest has \\d+ tokens; raise training.maxLength, .*");
  }

  @Test
  void holdsOutTheSameFractionForTheSameSeed() throws IOException {
    DatasetSource source = source("a.jsonl", rows(40));
    DatasetOptions options = DatasetFixture.options(List.of(source), 0.1);

    PreparedDataset first = prepare(null, options, training(512, Overlong.DROP, 7));
    PreparedDataset again = prepare(null, options, training(512, Overlong.DROP, 7));
    PreparedDataset other = prepare(null, options, training(512, Overlong.DROP, 8));

    assertThat(first.validation()).hasSize(4);
    assertThat(first.train()).hasSize(36);
    assertThat(origins(first.train())).doesNotContainAnyElementsOf(origins(first.validation()));
    assertThat(origins(again.validation())).isEqualTo(origins(first.validation()));
    assertThat(origins(other.validation())).isNotEqualTo(origins(first.validation()));
  }

  @Test
  void holdsOutAtLeastOneRowOfTwoAndNoneOfOne() throws IOException {
    TrainingOptions training = training(512, Overlong.DROP, 7);
    DatasetSource two = source("two.jsonl", rows(2));
    DatasetSource one = source("one.jsonl", rows(1));

    assertThat(prepare(null, DatasetFixture.options(List.of(two), 0.01), training).validation())
        .hasSize(1);
    assertThat(prepare(null, DatasetFixture.options(List.of(one), 0.01), training).train())
        .hasSize(1);
  }

  @Test
  void validatesWithFilesWhereTheyAreGiven() throws IOException {
    DatasetSource train = source("a.jsonl", rows(5));
    DatasetSource eval = source("b.json", "[" + row("x", "y") + "]");
    DatasetOptions options = DatasetFixture.options(List.of(train), 0.5, eval);

    PreparedDataset data = prepare(null, options, training(512, Overlong.DROP, 7));

    assertThat(data.train()).hasSize(5);
    assertThat(origins(data.validation())).containsExactly("pvc://data/b.json:1");
    assertThat(data.verdict().rows()).isEqualTo(6);
  }

  @Test
  void drawsASampleWithTheSeedAndKeepsTheFilesOrder() throws IOException {
    source("a.jsonl", rows(50));
    DatasetSource sampled = DatasetFixture.sample("pvc://data/a.jsonl", 10);

    List<String> drawn = prepare(sampled).train().stream().map(TokenizedExample::origin).toList();

    assertThat(drawn).hasSize(10).doesNotHaveDuplicates();
    assertThat(drawn)
        .isSortedAccordingTo(
            java.util.Comparator.comparingInt(
                o -> Integer.parseInt(o.substring(o.lastIndexOf(':') + 1))));
    assertThat(drawn)
        .isNotEqualTo(
            java.util.stream.IntStream.rangeClosed(1, 10)
                .mapToObj(i -> "pvc://data/a.jsonl:" + i)
                .toList());
    assertThat(prepare(sampled).train()).extracting(TokenizedExample::origin).isEqualTo(drawn);
  }

  private static Map<String, Object> sourceOf(String name) {
    return Map.of("source", "pvc://data/" + name);
  }

  private PreparedDataset prepare(Map<String, ?> settings) {
    Map<String, Object> all = new HashMap<>(Map.of("dataset.validation.fraction", 0));
    all.putAll(settings);
    Recipe recipe = RecipeFixture.of(all);
    return prepare(null, recipe.dataset(), recipe.training());
  }

  private static String supervised(TokenizedExample row) {
    return tokenizer.decode(
        java.util.Arrays.stream(row.labels())
            .filter(label -> label != TokenizedExample.IGNORED)
            .toArray());
  }

  @Test
  void skipsRowsThatCantBeReadAndListsThem() throws IOException {
    source("a.jsonl", row("a", "b"), "{", row("c", ""), row("d", "e"));
    Map<String, Object> settings =
        Map.of("dataset.train", List.of(sourceOf("a.jsonl")), "dataset.invalidRows", "Skip");

    PreparedDataset data = prepare(settings);

    assertThat(data.train())
        .extracting(TokenizedExample::origin)
        .containsExactly("pvc://data/a.jsonl:1", "pvc://data/a.jsonl:4");
    assertThat(data.verdict().rows()).isEqualTo(4);
    assertThat(data.verdict().skipped()).isEqualTo(2);
    assertThat(data.warnings())
        .singleElement()
        .asString()
        .startsWith(
            "2 rows are left out, since they can't be read:\n  pvc://data/a.jsonl:2: broken")
        .endsWith(
            "\n  pvc://data/a.jsonl:3: 'output' is empty; remove the row or write the answer");
  }

  @Test
  void neverSkipsAFileThatCantBeRead() throws IOException {
    source("a.json", "[" + row("a", "b") + ",", "{]");
    source("b.jsonl", "{\"x\": 1}");
    for (String name : List.of("a.json", "b.jsonl", "none.jsonl")) {
      Map<String, Object> settings =
          Map.of("dataset.train", List.of(sourceOf(name)), "dataset.invalidRows", "Skip");

      assertThatThrownBy(() -> prepare(settings))
          .isInstanceOf(TrainerException.class)
          .hasMessageStartingWith("1 fault in the data:\n  pvc://data/" + name);
    }
  }

  @Test
  void countsRowsCutToTheLengthAndThoseThatLoseTheEndOfTheirAnswer() throws IOException {
    source("a.jsonl", row("a", "one two three four five six seven"), row("b", "c"));
    Map<String, Object> right =
        Map.of(
            "dataset.train",
            List.of(sourceOf("a.jsonl")),
            "training.maxLength",
            24,
            "training.overlong",
            "TruncateRight");
    Map<String, Object> left = new HashMap<>(right);
    left.put("training.overlong", "TruncateLeft");

    PreparedDataset cut = prepare(right);

    assertThat(cut.verdict().truncated()).isEqualTo(1);
    assertThat(cut.verdict().withoutEnd()).isEqualTo(1);
    assertThat(cut.warnings())
        .containsExactly(
            "1 row is cut to training.maxLength 24: 1 of them have lost the token that ends the"
                + " answer, and teach the model not to stop; raise training.maxLength, or set"
                + " training.overlong to Drop");
    assertThat(prepare(left).verdict().withoutEnd()).isZero();
    assertThat(prepare(left).warnings()).singleElement().asString().contains("the system turn");
  }

  @Test
  void countsRowsThatTeachNothingApartFromLongOnes() throws IOException {
    source(
        "a.jsonl",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\","
            + " \"content\": \"b\", \"weight\": 0}]}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\","
            + " \"content\": \"b\"}]}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\","
            + " \"content\": \"%s\"}]}".formatted("word ".repeat(100)));
    Map<String, Object> settings =
        Map.of("dataset.train", List.of(sourceOf("a.jsonl")), "training.maxLength", 64);

    PreparedDataset data = prepare(settings);

    assertThat(data.verdict().unsupervised()).isEqualTo(1);
    assertThat(data.verdict().dropped()).isEqualTo(1);
    assertThat(data.verdict().trainRows()).isEqualTo(1);
    assertThat(data.warnings())
        .singleElement()
        .asString()
        .startsWith("1 row is left out, since no");
  }

  @Test
  void textsAreLearnedWholeAndEndWithTheEndOfSequence() throws IOException {
    source("a.txt", "Rain on the roof", "Ends itself<|im_end|>");

    PreparedDataset data = prepare(Map.of("dataset.train", List.of(sourceOf("a.txt"))));

    assertThat(data.train())
        .extracting(DatasetPreparationTest::text)
        .containsExactly("Rain on the roof<|im_end|>", "Ends itself<|im_end|>");
    assertThat(data.train()).allSatisfy(row -> assertThat(row.labels()).isEqualTo(row.inputIds()));
  }

  @Test
  void onlyTheCompletionOfAPromptIsLearned() throws IOException {
    source("a.jsonl", "{\"prompt\": \"The capital of France is\", \"completion\": \" Paris.\"}");

    TokenizedExample row =
        prepare(Map.of("dataset.train", List.of(sourceOf("a.jsonl")))).train().get(0);

    assertThat(text(row)).isEqualTo("The capital of France is Paris.<|im_end|>");
    assertThat(supervised(row)).isEqualTo(" Paris.<|im_end|>");
  }

  @Test
  void aTextBeginsWithTheTokenThatTheTokenizerPutsBeforeTexts() {
    Path llama3 = Path.of("src/test/resources/golden/tiny-llama3/base");
    try (Tokenizer tokenizer = Tokenizer.load(llama3)) {
      RowTokenizer rows =
          new RowTokenizer(
              () -> null, tokenizer, RowPictures.none(), Supervision.ANSWERS, 64, Overlong.DROP);

      for (String given : List.of("Rain", "<|begin_of_text|>Rain")) {
        LabelledTokens tokens = tokenize(rows, new PlainText(given));
        assertThat(tokenizer.decode(tokens.ids())).isEqualTo("<|begin_of_text|>Rain<|eot_id|>");
      }
      LabelledTokens tokens = tokenize(rows, new Continuation("Rain", " falls"));
      assertThat(tokenizer.decode(tokens.ids())).isEqualTo("<|begin_of_text|>Rain falls<|eot_id|>");
      assertThat(tokens.labels()[0]).isEqualTo(TokenizedExample.IGNORED);
      assertThat(tokens.learned()).isLessThan(tokens.length() - 1);
    }
  }

  private static LabelledTokens tokenize(RowTokenizer rows, Content content) {
    try {
      return rows.tokenize(content).tokens();
    } catch (RowFault e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void tellsRowsThatBeginTwiceAndRowsThatTeachAnEnd() {
    Path model = Path.of("src/test/resources/golden/tiny-llama3/base");
    ChatTemplate chat = ChatTemplate.load(model, ChatTemplateName.AUTO, Clock.systemUTC());
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      RowTokenizer rows =
          new RowTokenizer(
              () -> new RenderedForm(chat, tokenizer),
              tokenizer,
              RowPictures.none(),
              Supervision.ANSWERS,
              64,
              Overlong.DROP);
      Conversation once =
          new Conversation(
              List.of(new Message(Message.USER, "a"), new Message(Message.ASSISTANT, "b")));

      assertThat(outcome(rows, once).startsTwice()).isFalse();
      assertThat(outcome(rows, new PlainText("<|begin_of_text|><|begin_of_text|>a")).startsTwice())
          .isTrue();
      assertThat(outcome(rows, once).ends()).isTrue();
    }
  }

  private static RowTokenizer.Outcome outcome(RowTokenizer rows, Content content) {
    try {
      return rows.tokenize(content);
    } catch (RowFault e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void saysWhereNoRowTeachesTheModelToStop() throws IOException {
    source("a.jsonl", row("a", "b"));
    Path model = folder.resolve("model");
    Files.createDirectory(model);
    for (String file : List.of("tokenizer.json", "tokenizer_config.json", "config.json")) {
      Files.copy(MODEL.resolve(file), model.resolve(file));
    }
    // The template ends turns with <|im_end|>; the model stops at another token.
    ObjectNode config =
        (ObjectNode) new ObjectMapper().readTree(model.resolve("tokenizer_config.json").toFile());
    config.put("eos_token", "<|im_start|>");
    Files.write(
        model.resolve("tokenizer_config.json"), new ObjectMapper().writeValueAsBytes(config));
    Files.writeString(model.resolve("config.json"), "{}");
    Recipe recipe = RecipeFixture.of(Map.of("dataset.train", List.of(sourceOf("a.jsonl"))));
    ChatTemplate chat = ChatTemplate.load(MODEL, ChatTemplateName.CHATML, Clock.systemUTC());

    try (Tokenizer other = Tokenizer.load(model)) {
      PreparedDataset data =
          new DatasetPreparation(
                  () -> new RenderedForm(chat, other),
                  other,
                  RowPictures.none(),
                  null,
                  any -> folder.resolve("a.jsonl"))
              .prepare(recipe.dataset(), recipe.training());

      assertThat(data.warnings())
          .singleElement()
          .asString()
          .startsWith(
              "no row teaches a token that ends a generation (<|im_start|>), so the tuned model may"
                  + " not stop");
    }
  }

  @Test
  void weighsSourcesAndCountsTheTokensOfAnEpoch() throws IOException {
    source("a.jsonl", rows(10));
    source("b.jsonl", rows(4));
    Map<String, Object> twice = Map.of("source", "pvc://data/a.jsonl", "weight", 2);
    Map<String, Object> half = Map.of("source", "pvc://data/b.jsonl", "weight", 0.5);
    PreparedDataset plain = prepare(Map.of("dataset.train", List.of(sourceOf("a.jsonl"))));
    PreparedDataset second = prepare(Map.of("dataset.train", List.of(sourceOf("b.jsonl"))));
    PreparedDataset weighted = prepare(Map.of("dataset.train", List.of(twice, half)));

    assertThat(weighted.verdict().trainRows()).isEqualTo(14);
    assertThat(weighted.weighted().perEpoch()).isEqualTo(22);
    long ofA = plain.verdict().supervisedTokens();
    long ofB = second.verdict().supervisedTokens();
    assertThat(weighted.verdict().supervisedTokens()).isEqualTo(Math.round(2 * ofA + 0.5 * ofB));
    assertThat(weighted.verdict().tokens())
        .isEqualTo(Math.round(2 * plain.verdict().tokens() + 0.5 * second.verdict().tokens()));
  }

  @Test
  void aSampleIsDrawnFromTheRowsThatCanBeRead() throws IOException {
    List<String> lines = new ArrayList<>(List.of(rows(20)));
    lines.add(3, "{");
    source("a.jsonl", lines.toArray(String[]::new));
    Map<String, Object> sampled = Map.of("source", "pvc://data/a.jsonl", "sample", 20);

    PreparedDataset data =
        prepare(Map.of("dataset.train", List.of(sampled), "dataset.invalidRows", "Skip"));

    assertThat(data.train()).hasSize(20);
    assertThat(data.verdict().skipped()).isEqualTo(1);
    assertThat(origins(data.train())).doesNotContain("pvc://data/a.jsonl:4");
  }
}
