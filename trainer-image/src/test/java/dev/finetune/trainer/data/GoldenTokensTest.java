package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Supervision;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Token ids and labels that transformers computed, in golden/MODEL/data.json. */
class GoldenTokensTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden");
  private static final int MAX_LENGTH = 128;

  @ParameterizedTest
  @MethodSource("dev.finetune.trainer.method.GoldenModel#names")
  void tokenisesAndLabelsAlpacaRowsAsTransformersDoes(String model) throws Exception {
    JsonNode expected = new ObjectMapper().readTree(GOLDEN.resolve(model + "/data.json").toFile());
    Path base = GOLDEN.resolve(model + "/base");
    ChatTemplate template = ChatTemplate.load(base, ChatTemplateName.AUTO, Clock.systemUTC());
    try (Tokenizer tokenizer = Tokenizer.load(base)) {
      RowTokenizer conversations =
          new RowTokenizer(
              () -> new RenderedForm(template, tokenizer),
              tokenizer,
              RowPictures.none(),
              Supervision.ANSWERS,
              MAX_LENGTH,
              Overlong.TRUNCATE_RIGHT);
      check(conversations, template, rows("train.json"), expected.get("train"));
      check(conversations, template, rows("eval.json"), expected.get("eval"));
    }
  }

  private static void check(
      RowTokenizer tokenizer, ChatTemplate template, List<SourceRow> rows, JsonNode expected)
      throws RowFault {
    for (int i = 0; i < expected.size(); i++) {
      JsonNode row = expected.get(i);
      assertThat(template.render(DatasetFixture.messages(rows.get(i)), false))
          .isEqualTo(row.get("text").asText());
      LabelledTokens tokens = tokenizer.tokenize(rows.get(i).content()).tokens();
      assertThat(tokens.ids()).as("ids of row %s", i).isEqualTo(ints(row.get("input_ids")));
      assertThat(tokens.labels()).as("labels of row %s", i).isEqualTo(ints(row.get("labels")));
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny-llama,765,767", "tiny-llama3,767,766", "tiny-qwen2,765,767"})
  void takesPadAndStopIdsFromTheTokenizersConfiguration(String model, int pad, int eos) {
    try (Tokenizer tokenizer = Tokenizer.load(GOLDEN.resolve(model + "/base"))) {
      assertThat(tokenizer.padId()).isEqualTo(pad);
      assertThat(tokenizer.stopIds()).containsExactly(eos);
      assertThat(tokenizer.specialId("eos_token")).contains(eos);
      assertThat(tokenizer.specialId("mask_token")).isEmpty();
    }
  }

  private static List<SourceRow> rows(String name) {
    return DatasetFixture.rows(
        DatasetFixture.source("file:///rows/" + name, DatasetFormat.AUTO),
        GOLDEN.resolve("rows").resolve(name));
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }
}
