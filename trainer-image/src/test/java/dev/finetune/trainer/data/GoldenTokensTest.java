package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.Overlong;
import java.io.IOException;
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
      ConversationTokenizer conversations =
          new ConversationTokenizer(template, tokenizer, MAX_LENGTH, Overlong.TRUNCATE_RIGHT);
      check(conversations, template, rows("train.json"), expected.get("train"));
      check(conversations, template, rows("eval.json"), expected.get("eval"));
    }
  }

  private static void check(
      ConversationTokenizer tokenizer,
      ChatTemplate template,
      List<Conversation> rows,
      JsonNode expected)
      throws RowFault {
    for (int i = 0; i < expected.size(); i++) {
      JsonNode row = expected.get(i);
      assertThat(template.render(rows.get(i).messages(), false))
          .isEqualTo(row.get("text").asText());
      TokenizedExample example = tokenizer.tokenize(rows.get(i)).example();
      assertThat(example.inputIds()).as("ids of row %s", i).isEqualTo(ints(row.get("input_ids")));
      assertThat(example.labels()).as("labels of row %s", i).isEqualTo(ints(row.get("labels")));
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

  private static List<Conversation> rows(String name) throws IOException {
    Faults faults = new Faults();
    Path file = GOLDEN.resolve("rows").resolve(name);
    List<Conversation> rows =
        new ConversationReader(null, 0, faults)
            .read(DatasetFixture.source("file:///rows/" + name, DatasetFormat.AUTO), file, 0);
    faults.throwIfAny();
    return rows;
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }
}
