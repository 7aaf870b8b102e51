package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.picture.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ids and labels of rows with pictures, in golden/internvl/MODEL/data.json. */
class PieceFormTest {
  private static final String QWEN2 = "tiny-internvl-qwen2";
  private static final String INTERNLM2 = "tiny-internvl-internlm2";
  private static final Picture PICTURE = new PictureFixture.Sized(10, 10, 1, "p");

  @TempDir Path folder;

  private Tokenizer tokenizer;

  @AfterEach
  void close() {
    if (tokenizer != null) {
      tokenizer.close();
    }
  }

  private ConversationForm form(String model, String base, ChatTemplateName name, String system)
      throws IOException {
    Path folder = PictureFixture.GOLDEN.resolve(model).resolve(base);
    close();
    tokenizer = Tokenizer.load(folder);
    return ConversationForm.load(
        folder, name, Clock.systemUTC(), tokenizer, PictureFixture.of(model).tiling(), system);
  }

  private List<SourceRow> rows(String name, String system) {
    return DatasetFixture.rows(
        DatasetFixture.source("file:///data/" + name, DatasetFormat.AUTO),
        PictureFixture.GOLDEN.resolve("data").resolve(name),
        system,
        PictureFixture.GOLDEN.toAbsolutePath());
  }

  private LabelledTokens tokens(ConversationForm form, String model, SourceRow row)
      throws Exception {
    return new RowTokenizer(
            () -> form,
            tokenizer,
            PictureFixture.of(model),
            Supervision.ANSWERS,
            512,
            Overlong.DROP)
        .tokenize(row.content())
        .tokens();
  }

  private void check(ConversationForm form, String model, List<SourceRow> rows, JsonNode expected)
      throws Exception {
    assertThat(rows).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      JsonNode row = expected.get(i);
      LabelledTokens tokens = tokens(form, model, rows.get(i));
      assertThat(tokens.ids()).as("ids of row %s", i).isEqualTo(ints(row.get("input_ids")));
      assertThat(tokens.labels()).as("labels of row %s", i).isEqualTo(ints(row.get("labels")));
      if (row.has("tiles")) {
        assertThat(tokens.pictures().stream().mapToInt(Picture::tiles).toArray())
            .isEqualTo(ints(row.get("tiles")));
      }
    }
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-internvl-qwen2,base_orig",
    "tiny-internvl-qwen2,base_hf",
    "tiny-internvl-internlm2,base_orig",
    "tiny-internvl-internlm2,base_hf"
  })
  void tokenisesAndLabelsRowsAsMsSwiftDoes(String model, String base) throws Exception {
    JsonNode expected = PictureFixture.json(model);
    String system = expected.at("/settings/system").asText();
    ConversationForm form = form(model, base, ChatTemplateName.INTERN_VL2, system);

    check(form, model, rows("train.jsonl", system), expected.get("train"));
    check(form, model, rows("train_messages.jsonl", system), expected.get("train"));
    check(form, model, rows("eval.jsonl", system), expected.get("eval"));
    form = form(model, base, ChatTemplateName.INTERN_VL2_5, system);
    check(form, model, rows("train.jsonl", system), expected.get("train_newline"));
    check(form, model, rows("train_messages.jsonl", system), expected.get("train_newline"));
  }

  @ParameterizedTest
  @CsvSource({"tiny-internvl-qwen2", "tiny-internvl-internlm2"})
  void theSystemTurnIsTheTemplatesOwnOrNone(String model) throws Exception {
    JsonNode expected = PictureFixture.json(model);

    ConversationForm own = form(model, "base_orig", ChatTemplateName.INTERN_VL2, null);
    assertThat(tokens(own, model, rows("train.jsonl", null).get(0)).ids())
        .isEqualTo(ints(expected.get("row0_default_system")));
    ConversationForm bare = form(model, "base_orig", ChatTemplateName.INTERN_VL2, "");
    assertThat(tokens(bare, model, rows("train.jsonl", "").get(0)).ids())
        .isEqualTo(ints(expected.get("row0_no_system")));
  }

  @ParameterizedTest
  @CsvSource({"tiny-internvl-qwen2", "tiny-internvl-internlm2"})
  void aPromptIsTheRowUpToItsAnswer(String model) throws Exception {
    JsonNode expected = PictureFixture.json(model);
    String system = expected.at("/settings/system").asText();
    // Without dataset.imageFolder the pictures lie beside the rows.
    Files.copy(PictureFixture.GOLDEN.resolve("data/train.jsonl"), folder.resolve("train.jsonl"));
    Path images = Files.createDirectory(folder.resolve("images"));
    try (Stream<Path> all = Files.list(PictureFixture.GOLDEN.resolve("images"))) {
      for (Path image : all.toList()) {
        Files.copy(image, images.resolve(image.getFileName()));
      }
    }
    for (String wanted : new String[] {"train", "train_newline"}) {
      ChatTemplateName name =
          wanted.equals("train") ? ChatTemplateName.INTERN_VL2 : ChatTemplateName.INTERN_VL2_5;
      ConversationForm form = form(model, "base_orig", name, system);
      List<PromptRow> prompts =
          new PromptRows(system, PictureFixture.of(model), Path::of)
              .read("file:///train.jsonl", folder.resolve("train.jsonl"));
      assertThat(prompts).hasSize(6);
      for (int i = 0; i < prompts.size(); i++) {
        JsonNode row = expected.get(wanted).get(i);
        assertThat(form.prompt(prompts.get(i).prompt(), prompts.get(i).pictures()))
            .isEqualTo(Arrays.copyOf(ints(row.get("input_ids")), lastAnswer(row)));
      }
    }
  }

  /** The tokens before the last answer. */
  private static int lastAnswer(JsonNode row) {
    int[] labels = ints(row.get("labels"));
    int start = labels.length;
    while (labels[start - 1] != TokenizedExample.IGNORED) {
      start--;
    }
    assertThat(row.path("prompt_tokens").asInt(start)).isEqualTo(start);
    return start;
  }

  private String prompt(String base) throws IOException {
    List<Message> hi = List.of(new Message(Message.SYSTEM, "S"), new Message(Message.USER, "Hi"));
    ConversationForm form = form(QWEN2, base, ChatTemplateName.AUTO, null);
    return tokenizer.decode(form.prompt(hi, List.of()));
  }

  @Test
  void autoIsWhatTheFolderNamesOrWrites() throws IOException {
    assertThat(prompt("base_orig"))
        .isEqualTo(
            "<|im_start|>system\nS<|im_end|><|im_start|>user\nHi<|im_end|>"
                + "<|im_start|>assistant\n");
    assertThat(prompt("base_hf"))
        .isEqualTo(
            """
            <|im_start|>system
            S<|im_end|>
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            """);
  }

  @Test
  void autoRefusesATemplateThatIsNotBuiltIn() throws IOException {
    Path base = PictureFixture.GOLDEN.resolve(QWEN2).resolve("base_orig");
    String config = Files.readString(base.resolve("config.json"));
    Files.writeString(folder.resolve("config.json"), config.replace("Hermes-2", "phi3-chat"));

    assertThatThrownBy(() -> ChatTemplate.load(folder, ChatTemplateName.AUTO, Clock.systemUTC()))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.MODEL))
        .hasMessage(
            "%s names the template phi3-chat, which isn't built in; set model.template to InternVL2"
                    .formatted(folder.resolve("config.json"))
                + " or InternVL2_5 if the model ends turns with <|im_end|>");
  }

  @Test
  void aTurnsEndStopsAndIsTaught() throws IOException {
    ConversationForm form = form(INTERNLM2, "base_orig", ChatTemplateName.AUTO, null);
    int end = tokenizer.encode("<|im_end|>")[0];

    assertThat(tokenizer.stopIds()).doesNotContain(end);
    assertThat(form.stopIds()).contains(end).containsAll(tokenizer.stopIds());
    assertThat(form.taughtStops()).isEqualTo(form.stopIds());
  }

  /** The learned pieces of a conversation as text. */
  private List<String> learned(
      Supervision supervision, List<Message> messages, List<Picture> pictures) throws Exception {
    ConversationForm form = form(QWEN2, "base_orig", ChatTemplateName.INTERN_VL2, "");
    int[] labels = form.tokenize(messages, pictures, supervision).labels();
    List<String> pieces = new ArrayList<>();
    int t = 0;
    while (t < labels.length) {
      int start = t;
      while (t < labels.length && labels[t] != TokenizedExample.IGNORED) {
        t++;
      }
      if (t > start) {
        pieces.add(tokenizer.decode(Arrays.copyOfRange(labels, start, t)));
      }
      t++;
    }
    return pieces;
  }

  @Test
  void supervisionAndATurnsOwnLossSayWhatIsLearnedAndNeverAPicture() throws Exception {
    List<Message> turns =
        List.of(
            new Message(Message.USER, "a<image>b"),
            new Message(Message.ASSISTANT, "c"),
            new Message(Message.USER, "d"),
            new Message(Message.ASSISTANT, "e"));
    List<Picture> pictures = List.of(PICTURE);

    assertThat(learned(Supervision.ANSWERS, turns, pictures))
        .containsExactly("c<|im_end|>", "e<|im_end|>");
    assertThat(learned(Supervision.LAST_ANSWER, turns, pictures)).containsExactly("e<|im_end|>");
    assertThat(learned(Supervision.ALL, turns, pictures))
        .containsExactly(
            "<|im_start|>user\na",
            "b<|im_end|><|im_start|>assistant\nc<|im_end|>"
                + "<|im_start|>user\nd<|im_end|><|im_start|>assistant\ne<|im_end|>");
    List<Message> own = new ArrayList<>(turns);
    own.set(0, new Message(Message.USER, "a<image>b", true));
    own.set(1, new Message(Message.ASSISTANT, "c", false));
    assertThat(learned(Supervision.ANSWERS, own, pictures))
        .containsExactly("<|im_start|>user\na", "b<|im_end|>", "e<|im_end|>");
  }

  @Test
  void withoutPicturesATagIsText() throws Exception {
    ConversationForm form = form(QWEN2, "base_orig", ChatTemplateName.INTERN_VL2, "");
    List<Message> turns = List.of(new Message(Message.USER, "What is <image>?"));

    assertThat(tokenizer.decode(form.prompt(turns, List.of())))
        .isEqualTo("<|im_start|>user\nWhat is <image>?<|im_end|><|im_start|>assistant\n");
  }

  @Test
  void refusesThePicturesTokenInATurnAndCountsThatDiffer() throws Exception {
    ConversationForm form = form(QWEN2, "base_orig", ChatTemplateName.INTERN_VL2, "");
    List<Message> token = List.of(new Message(Message.USER, "Look: <IMG_CONTEXT>"));

    assertThatThrownBy(() -> form.prompt(token, List.of()))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.USAGE))
        .hasMessage(
            "the text has <IMG_CONTEXT>, which stands for a piece of a picture; remove it, or write"
                + " <image> where a picture is to stand");
    List<Message> tag = List.of(new Message(Message.USER, "<image>"));
    assertThatThrownBy(() -> form.prompt(tag, List.of(PICTURE, PICTURE)))
        .hasMessage("fewer <image> tags than pictures, 2");
    List<Message> tags = List.of(new Message(Message.USER, "<image><image>"));
    assertThatThrownBy(() -> form.prompt(tags, List.of(PICTURE)))
        .hasMessage("more <image> tags than pictures, 1");
  }
}
