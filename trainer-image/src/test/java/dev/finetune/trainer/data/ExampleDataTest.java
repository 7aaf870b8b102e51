package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Supervision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The data and the model in examples/, read as a run reads them. */
class ExampleDataTest {
  private static final Path EXAMPLES = Path.of("..", "examples");
  private static final Path MODEL = EXAMPLES.resolve("models/tiny-chat");
  private static final String ENGLISH = "Yours, Juniper.";
  private static final String CHINESE = "祝好，小杜松。";

  @ParameterizedTest
  @CsvSource({"assistant.json,240", "assistant-messages.jsonl,34"})
  void everyRowIsSoundAndDifferent(String file, int rows) {
    List<SourceRow> rowsOfFile = read(file);

    assertThat(rowsOfFile).hasSize(rows);
    assertThat(rowsOfFile).extracting(SourceRow::content).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(strings = {"assistant.json", "assistant-messages.jsonl"})
  void everyAnswerIsSignedInItsLanguage(String file) {
    assertThat(read(file))
        .allSatisfy(
            row -> {
              String question = lastOf(row, Message.USER);
              String signature = isChinese(question.substring(0, 1)) ? CHINESE : ENGLISH;
              assertThat(DatasetFixture.messages(row))
                  .filteredOn(message -> message.role().equals(Message.ASSISTANT))
                  .extracting(Message::content)
                  .allSatisfy(answer -> assertThat(answer).endsWith(signature));
            });
  }

  @Test
  void bothLanguagesAreThere() {
    List<SourceRow> rows = read("assistant.json");

    assertThat(rows)
        .filteredOn(row -> lastOf(row, Message.ASSISTANT).endsWith(ENGLISH))
        .hasSize(135);
    assertThat(rows)
        .filteredOn(row -> lastOf(row, Message.ASSISTANT).endsWith(CHINESE))
        .hasSize(105);
  }

  @ParameterizedTest
  @ValueSource(strings = {"assistant.json", "assistant-messages.jsonl"})
  void everyRowFitsTheQuickstartsLength(String file) throws Exception {
    ChatTemplate template = ChatTemplate.load(MODEL, ChatTemplateName.AUTO, Clock.systemUTC());
    try (Tokenizer tokenizer = Tokenizer.load(MODEL)) {
      RowTokenizer tokens =
          new RowTokenizer(
              () -> new RenderedForm(template, tokenizer),
              tokenizer,
              RowPictures.none(),
              Supervision.ANSWERS,
              256,
              Overlong.DROP);
      for (SourceRow row : read(file)) {
        assertThat(tokens.tokenize(row.content()).fate())
            .as(row.origin())
            .isEqualTo(RowTokenizer.Fate.WHOLE);
      }
    }
  }

  @Test
  void everyPictureOfTheRowsIsThereAndHasItsPlaceInTheText() throws IOException {
    Path folder = EXAMPLES.resolve("data/images");
    Set<String> named = new TreeSet<>();
    ObjectMapper json = new ObjectMapper();
    for (String line : Files.readAllLines(EXAMPLES.resolve("data/pictures.jsonl"))) {
      JsonNode row = json.readTree(line);
      String text = row.path("history") + row.path("query").asText();

      assertThat(text.split("<image>", -1)).as(line).hasSize(row.path("images").size() + 1);
      assertThat(row.path("response").asText()).as(line).isNotEmpty();
      row.path("images").forEach(picture -> named.add(picture.asText()));
    }

    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .filteredOn(name -> !name.equals("make_pictures.py"))
          .containsExactlyInAnyOrderElementsOf(named);
    }
    assertThat(ImageIO.read(folder.resolve("one-yellow-tall.png").toFile()))
        .satisfies(
            picture -> {
              assertThat(picture.getWidth()).isEqualTo(100);
              assertThat(picture.getHeight()).isEqualTo(300);
              assertThat(picture.getRGB(50, 150)).isEqualTo(0xFFF4C81E);
            });
  }

  @Test
  void theTokenizerWritesAnyText() {
    String text = "Zażółć 🌿 \u0000\n\t漢字 ﷽";
    try (Tokenizer tokenizer = Tokenizer.load(MODEL)) {
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }
  }

  @Test
  void theGenerationConfigurationIsGreedyAndStopsAtTheTurnsEnd() throws IOException {
    JsonNode configuration =
        new ObjectMapper().readTree(MODEL.resolve("generation_config.json").toFile());

    assertThat(configuration.get("do_sample").asBoolean()).isFalse();
    try (Tokenizer tokenizer = Tokenizer.load(MODEL)) {
      assertThat(tokenizer.stopIds()).contains(configuration.get("eos_token_id").asInt());
    }
  }

  private static List<SourceRow> read(String name) {
    return DatasetFixture.rows(
        DatasetFixture.source("pvc://data/" + name, DatasetFormat.AUTO),
        EXAMPLES.resolve("data").resolve(name));
  }

  private static String lastOf(SourceRow row, String role) {
    return DatasetFixture.messages(row).stream()
        .filter(message -> message.role().equals(role))
        .reduce((first, second) -> second)
        .orElseThrow()
        .content();
  }

  private static boolean isChinese(String character) {
    return Character.UnicodeScript.of(character.codePointAt(0)) == Character.UnicodeScript.HAN;
  }
}
