package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.RecipeFixture;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.picture.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows with pictures from their files to batches. */
class PictureRowsTest {
  private static final String NAME = "tiny-internvl-qwen2";
  private static final Path MODEL = PictureFixture.GOLDEN.resolve(NAME).resolve("base_orig");
  private static Tokenizer tokenizer;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    tokenizer = Tokenizer.load(MODEL);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  /** Prepares the rows; relative pictures are the golden ones. */
  private PreparedDataset prepare(
      ChatTemplateName template, RowPictures pictures, Map<String, ?> settings, String... rows)
      throws IOException {
    Path file = Files.writeString(folder.resolve("rows.jsonl"), String.join("\n", rows));
    Map<String, Object> all = new HashMap<>(settings);
    all.put("dataset.train", List.of(Map.of("source", "pvc://data/rows.jsonl")));
    all.put("dataset.validation.fraction", 0);
    all.putIfAbsent("dataset.imageFolder", "pvc://images");
    Recipe recipe = RecipeFixture.of(all);
    Map<String, Path> files =
        Map.of(
            "pvc://data/rows.jsonl",
            file,
            "pvc://images",
            PictureFixture.GOLDEN.resolve("images").toAbsolutePath());
    return new DatasetPreparation(
            () ->
                ConversationForm.load(
                    MODEL, template, Clock.systemUTC(), tokenizer, pictures.tiling(), ""),
            tokenizer,
            pictures,
            "",
            source -> files.getOrDefault(source, Path.of(source)))
        .prepare(recipe.dataset(), recipe.training());
  }

  private PreparedDataset prepare(Map<String, ?> settings, String... rows) throws IOException {
    return prepare(ChatTemplateName.AUTO, PictureFixture.of(NAME), settings, rows);
  }

  private static String row(String query, String response, String images) {
    return "{\"query\": \"%s\", \"response\": \"%s\", \"images\": [%s]}"
        .formatted(query, response, images);
  }

  private static List<String> hashes(List<Picture> pictures) {
    return pictures.stream().map(Picture::sha256).toList();
  }

  @Test
  void picturesFollowTheirRowsIntoPackedBatches() throws IOException {
    PreparedDataset data =
        prepare(
            Map.of("training.packing", true, "training.maxLength", 512, "dataset.shuffle", false),
            row("<image><image>", "one", "\"a.png\", \"d.png\""),
            row("Hi", "two", ""),
            row("<image>", "three", "\"c.png\""));

    assertThat(data.train()).hasSize(3);
    assertThat(hashes(data.train().pictures(0))).containsExactly("a.png", "d.png");
    assertThat(data.train().pictures(1)).isEmpty();
    assertThat(hashes(data.train().select(new int[] {2}).pictures(0))).containsExactly("c.png");
    Batch packed = EvaluationBatches.packed(data.train(), 1, 512).get(0);
    int context = tokenizer.encode("<IMG_CONTEXT>")[0];
    List<String> inOrder =
        packed.examples().stream().flatMap(each -> hashes(each.pictures()).stream()).toList();
    assertThat(hashes(packed.pictures())).isEqualTo(inOrder).hasSize(3);
    assertThat(Arrays.stream(packed.inputIds()).filter(id -> id == context).count())
        .isEqualTo((3 + 4 + 3) * 4);
    assertThat(data.train().supervisedTokens(0))
        .isEqualTo(tokenizer.encode("one<|im_end|>").length);
    assertThat(data.pictures()).isEqualTo(new PictureCounts(3, 2, 10, 4, 28, 28, 512));
    assertThat(data.warnings()).isEmpty();
  }

  @Test
  void aMissingOrBrokenPictureIsAFaultOfItsRow() throws IOException {
    Path broken = Files.writeString(folder.resolve("broken.png"), "no picture");
    String[] rows = {
      row("Hi", "fine", "\"a.png\""),
      row("Hi", "x", "\"none.png\""),
      row("Hi", "x", "\"%s\"".formatted(broken)),
      row("Hi", "x", "\"http://host/a.png\"")
    };
    String missing = PictureFixture.GOLDEN.resolve("images/none.png").toAbsolutePath().toString();

    assertThatThrownBy(() -> prepare(Map.of(), rows))
        .isInstanceOfSatisfying(
            TrainerException.class, e -> assertThat(e.exit()).isEqualTo(TrainerExit.DATA))
        .hasMessage(
            """
            3 faults in the data:
              pvc://data/rows.jsonl:2: the picture %s isn't there
              pvc://data/rows.jsonl:3: the picture %s is no picture
              pvc://data/rows.jsonl:4: the picture http://host/a.png is a URL; download the pictures and name their files, relative to dataset.imageFolder or to the row's file"""
                .formatted(missing, broken));
    PreparedDataset skipped = prepare(Map.of("dataset.invalidRows", "Skip"), rows);
    assertThat(skipped.train()).hasSize(1);
    assertThat(skipped.verdict().skipped()).isEqualTo(3);
    assertThat(skipped.pictures().pictures()).isEqualTo(1);
  }

  @Test
  void aModelForTextRefusesPicturesAndSoDoesATemplate() {
    String row = row("Hi", "x", "\"a.png\"");

    assertThatThrownBy(() -> prepare(ChatTemplateName.CHATML, RowPictures.none(), Map.of(), row))
        .hasMessageEndingWith(
            "rows.jsonl:1: the row has pictures, and the model takes text alone; train a model that"
                + " takes pictures, or leave the column out");
    assertThatThrownBy(
            () -> prepare(ChatTemplateName.CHATML, PictureFixture.of(NAME), Map.of(), row))
        .hasMessageEndingWith(
            "rows.jsonl:1: the chat template can't write pictures; set model.template to Auto,"
                + " InternVL2 or InternVL2_5");
    assertThatThrownBy(
            () -> prepare(Map.of("dataset.imageFolder", "pvc://none"), row("Hi", "x", "")))
        .hasMessage(
            "dataset.imageFolder pvc://none doesn't exist or isn't a folder (looked for pvc:/none)");
  }

  @Test
  void aCutNeverGoesThroughAPicture() throws IOException {
    String longAnswer = "word ".repeat(60);
    String early = row("<image>Hi", longAnswer, "\"a.png\"");
    String late =
        "{\"query\": \"<image>\", \"response\": \"short\", \"images\": [\"a.png\"], \"history\":"
            + " [[\"Hi\", \"%s\"]]}".formatted(longAnswer);

    PreparedDataset right =
        prepare(
            Map.of("training.maxLength", 64, "training.overlong", "TruncateRight"), early, late);
    assertThat(right.train()).singleElement().satisfies(PictureRowsTest::holdsItsPicture);
    assertThat(right.train().get(0).origin()).endsWith(":1");
    assertThat(right.verdict().dropped()).isEqualTo(1);
    PreparedDataset left =
        prepare(Map.of("training.maxLength", 64, "training.overlong", "TruncateLeft"), early, late);
    assertThat(left.train()).singleElement().satisfies(PictureRowsTest::holdsItsPicture);
    assertThat(left.train().get(0).origin()).endsWith(":2");
  }

  private static void holdsItsPicture(TokenizedExample row) {
    int context = tokenizer.encode("<IMG_CONTEXT>")[0];
    assertThat(Arrays.stream(row.inputIds()).filter(id -> id == context).count()).isEqualTo(12);
    assertThat(hashes(row.pictures())).containsExactly("a.png");
    assertThat(row.length()).isEqualTo(64);
  }

  @Test
  void warnsOfPicturesThatNoRowHasRoomFor() throws IOException {
    PreparedDataset data =
        prepare(
            Map.of("training.maxLength", 24),
            row("<image>", "a", "\"b.jpg\""),
            row("<image>", "a", "\"d.png\""));

    assertThat(data.train()).hasSize(1);
    assertThat(data.pictures()).isEqualTo(new PictureCounts(2, 2, 5, 4, 28, 16, 24));
    assertThat(data.warnings())
        .containsExactly(
            "a picture of the most tiles takes 28 tokens and training.maxLength is 24, so that rows"
                + " with such a one are left out; raise training.maxLength, or lower"
                + " model.maxTiles");
  }

  @Test
  void saysToLowerTheTilesWhereNoRowIsLeft() {
    assertThatThrownBy(() -> prepare(Map.of("training.maxLength", 16), row("Hi", "a", "\"d.png\"")))
        .hasMessageEndingWith("; raise training.maxLength, or lower model.maxTiles");
  }

  @Test
  void aTextCannotHaveThePicturesToken() {
    String fault =
        "rows.jsonl:1: the text has <IMG_CONTEXT>, which stands for a piece of a picture; remove"
            + " it, or write <image> where a picture is to stand";

    assertThatThrownBy(() -> prepare(Map.of(), "{\"text\": \"a <IMG_CONTEXT>\"}"))
        .hasMessageEndingWith(fault);
    assertThatThrownBy(() -> prepare(Map.of(), row("<IMG_CONTEXT>", "a", "\"a.png\"")))
        .hasMessageEndingWith(fault);
  }

  @Test
  void aSourcesColumnsRenameThePictures() throws IOException {
    Path file = Files.writeString(folder.resolve("a.csv"), "q,r,photo\nHi,x,a.png\n");
    SourceRow row =
        DatasetFixture.rows(
                DatasetFixture.first(
                    Map.of(
                        "source",
                        "pvc://d/a.csv",
                        "columns",
                        Map.of("query", "q", "response", "r", "images", "photo"))),
                file)
            .get(0);

    assertThat(((Conversation) row.content()).pictures())
        .containsExactly(folder.resolve("a.png").toString());
  }

  @Test
  void objectsStandInTheTurns() throws IOException {
    PreparedDataset data =
        prepare(
            Map.of("training.maxLength", 512),
            "{\"query\": \"Find <ref-object>\", \"response\": \"<bbox>\", \"images\": [\"a.png\"],"
                + " \"objects\": \"[{\\\"caption\\\": \\\"it\\\", \\\"bbox\\\": [12, 6, 60, 60],"
                + " \\\"bbox_type\\\": \\\"real\\\", \\\"image\\\": 0}]\"}");

    assertThat(tokenizer.decode(data.train().get(0).inputIds()))
        .contains("</img>\nFind <ref>it</ref><|im_end|>")
        .endsWith("<|im_start|>assistant\n<box> [[99, 99, 499, 999]] </box><|im_end|>");
  }
}
