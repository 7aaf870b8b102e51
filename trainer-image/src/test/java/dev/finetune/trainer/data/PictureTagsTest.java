package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The columns, parts and tags that name a row's pictures. */
class PictureTagsTest {
  @TempDir Path folder;

  private Conversation read(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    List<SourceRow> rows =
        DatasetFixture.rows(
            DatasetFixture.first(Map.of("source", "pvc://d/" + name, "format", "Auto")),
            file,
            null,
            Path.of("/pictures"));
    assertThat(rows).hasSize(1);
    return (Conversation) rows.get(0).content();
  }

  private static Content of(String row) throws Exception {
    ObjectNode object = (ObjectNode) RowReader.MAPPER.readTree(row);
    return PictureTags.of(RowFormats.detect(object).content(object), object);
  }

  private static String query(String query, String more) {
    return "{\"query\": \"" + query + "\", \"response\": \"r\"" + more + "}";
  }

  private static void assertFault(String row, String message) {
    assertThatThrownBy(() -> of(row)).isInstanceOf(RowFault.class).hasMessage(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"images\": [\"a.png\"]",
        "\"images\": \"a.png\"",
        "\"image\": \"a.png\"",
        "\"image\": \"a.png\", \"images\": []",
        "\"images\": [{\"path\": \"a.png\", \"bytes\": null}]",
        "\"image\": {\"bytes\": null, \"path\": \"a.png\"}",
        "\"images\": \"[\\\"a.png\\\"]\""
      })
  void aColumnNamesOnePictureInEachForm(String column) throws Exception {
    Conversation row = (Conversation) of(query("Hi", ", " + column));

    assertThat(row.pictures()).containsExactly("a.png");
    assertThat(row.messages().get(0).content()).isEqualTo("<image>Hi");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"images\": []", "\"images\": null", "\"image\": \"\"", "\"x\": 1"})
  void withoutAPictureATagIsText(String column) throws Exception {
    Conversation row = (Conversation) of(query("What is <image>?", ", " + column));

    assertThat(row.pictures()).isEmpty();
    assertThat(row.messages().get(0).content()).isEqualTo("What is <image>?");
  }

  @Test
  void picturesWithoutTagsStandInFrontOfTheFirstUsersTurn() throws Exception {
    Conversation row =
        (Conversation)
            of(
                query(
                    "And now?",
                    ", \"system\": \"S\", \"history\": [[\"Hi\", \"an <image>\"]],"
                        + " \"images\": [\"a.png\", \"b.png\"]"));

    assertThat(row.messages())
        .extracting(Message::content)
        .containsExactly("S", "<image><image>Hi", "an <image>", "And now?", "r");
  }

  @Test
  void everyFormatOfConversationsHasPictures() throws IOException {
    List<Conversation> rows =
        List.of(
            read(
                "alpaca.jsonl",
                "{\"instruction\": \"Hi\", \"output\": \"r\", \"images\": [\"a.png\"]}"),
            read(
                "sharegpt.json",
                "[{\"conversations\": [{\"from\": \"human\", \"value\": \"<image>Hi\"},"
                    + " {\"from\": \"gpt\", \"value\": \"r\"}], \"image\": \"a.png\"}]"),
            read("query.csv", "query,response,images\nHi,r,\"[\"\"a.png\"\"]\"\n"),
            read("one.csv", "query,response,image\n<image>Hi,r,a.png\n"),
            read(
                "prompt.jsonl",
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"completion\":"
                    + " [{\"role\": \"assistant\", \"content\": \"r\"}], \"images\":"
                    + " [\"a.png\"]}"));

    assertThat(rows)
        .allSatisfy(
            row -> {
              assertThat(row.pictures()).containsExactly("/pictures/a.png");
              assertThat(row.messages().get(0).content()).isEqualTo("<image>Hi");
            });
  }

  private static String parts(String parts, String more) {
    return "{\"messages\": [{\"role\": \"user\", \"content\": ["
        + parts
        + "]}, {\"role\": \"assistant\", \"content\": \"r\"}]"
        + more
        + "}";
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\": \"image\", \"image\": \"a.png\"}",
        "{\"type\": \"image\", \"path\": \"a.png\", \"text\": null}",
        "{\"type\": \"image\", \"url\": \"a.png\"}",
        "{\"type\": \"image_url\", \"image_url\": {\"url\": \"a.png\"}}"
      })
  void partsOfATurnNamePictures(String picture) throws Exception {
    String text = "{\"type\": \"text\", \"text\": \"Look \"}";
    Conversation row = (Conversation) of(parts(text + ", " + picture + ", " + text, ""));

    assertThat(row.pictures()).containsExactly("a.png");
    assertThat(row.messages().get(0).content()).isEqualTo("Look <image>Look ");
  }

  @Test
  void partsMayLeaveTheirPicturesToTheColumn() throws Exception {
    String parts = "{\"type\": \"image\"}, {\"type\": \"text\", \"text\": \"Hi\"}";
    Conversation row = (Conversation) of(parts(parts, ", \"images\": [\"a.png\"]"));

    assertThat(row.pictures()).containsExactly("a.png");
    assertThat(row.messages().get(0).content()).isEqualTo("<image>Hi");
    assertFault(
        parts(parts, ""),
        "0 pictures and 1 <image> in the user's turns; write one where each picture stands, or"
            + " none");
  }

  @Test
  void saysWhatIsWrongWithPictures() {
    assertFault(
        query("<image> and <image> and <image>", ", \"images\": [\"a.png\", \"b.png\"]"),
        "2 pictures and 3 <image> tags in the user's turns; write one where each picture stands,"
            + " or none");
    assertFault(
        query("<image>", ", \"images\": [\"a.png\"], \"image\": \"b.png\""),
        "'images' and 'image' both name pictures; keep one of them");
    assertFault(
        query("<image>", ", \"images\": [{\"bytes\": \"...\", \"path\": null}]"),
        "'images[0]' has no 'path' but the picture's bytes; save the pictures as files and name"
            + " them");
    assertFault(
        query("<image>", ", \"images\": [7]"), "'images[0]' must be a string, not a number");
    assertFault(
        query("<image>", ", \"images\": [\"\"]"), "'images[0]' is empty; name the picture's file");
    assertFault(
        "{\"text\": \"a\", \"image\": \"a.png\"}",
        "the row has pictures, and is a text without turns; only a conversation can have pictures");
    assertFault(
        parts("{\"type\": \"image\", \"path\": \"a.png\"}, {\"type\": \"image\"}", ""),
        "some pictures are named in the turns and some aren't; name all of them in the turns, or"
            + " all in 'images'");
    assertFault(
        parts("{\"type\": \"video\"}", ""),
        "'messages[0].content[0]': unknown type 'video'; known are text, image");
    assertFault(
        "{\"messages\": [{\"role\": \"system\", \"content\": [{\"type\": \"image\", \"path\":"
            + " \"a.png\"}]}]}",
        "'messages[0].content[0]': a picture can only stand in a user's turn");
  }

  @ParameterizedTest
  @CsvSource({
    "/a/b.png,/a/b.png",
    "b.png,/pictures/b.png",
    "x/../b.png,/pictures/b.png",
    "pvc://claim/b.png,/files/pvc:/claim/b.png",
    "file:///b.png,/files/file:/b.png"
  })
  void aPathIsLookedUpInTheFolder(String name, String found) throws RowFault {
    PictureFolder pictures =
        new PictureFolder(Path.of("/pictures"), source -> Path.of("/files", source));

    assertThat(pictures.find(name, Path.of("/rows/a.jsonl"))).isEqualTo(Path.of(found));
  }

  @Test
  void withoutAFolderItIsTheRowsFiles() throws RowFault {
    PictureFolder beside = new PictureFolder(null, Path::of);

    assertThat(beside.find("b.png", Path.of("/rows/a.jsonl"))).isEqualTo(Path.of("/rows/b.png"));
  }

  @Test
  void aUrlIsRefused() {
    PictureFolder beside = new PictureFolder(null, Path::of);
    String remedy =
        " is a URL; download the pictures and name their files, relative to dataset.imageFolder or"
            + " to the row's file";

    assertThatThrownBy(() -> beside.find("https://x/a.png", Path.of("/rows/a.jsonl")))
        .hasMessage("the picture https://x/a.png" + remedy);
    String data = "data:image/png;base64," + "A".repeat(5000);
    assertThatThrownBy(() -> beside.find(data, Path.of("/rows/a.jsonl")))
        .hasMessage("the picture " + data.substring(0, 100) + "..." + remedy);
  }
}
