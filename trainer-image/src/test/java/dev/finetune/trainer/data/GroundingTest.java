package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.picture.Picture;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Objects as ms-swift 2.6.1 and 3.12 write them for InternVL2, computed from their formulas. */
class GroundingTest {
  private static final Picture WIDE = new PictureFixture.Sized(640, 480, 1, "wide");
  private static final Picture TALL = new PictureFixture.Sized(300, 700, 1, "tall");

  private static String written(String text, String objects, Picture... pictures) throws Exception {
    List<Message> turns = List.of(new Message(Message.USER, text));
    return Grounding.written(turns, RowReader.MAPPER.readTree(objects), List.of(pictures))
        .get(0)
        .content();
  }

  @Test
  void aListIsVersionTwosWhichCutsTo999() throws Exception {
    String object =
        "{\"caption\": \"guy in red\", \"bbox\": [138, 136, 235, 359], \"bbox_type\": \"real\","
            + " \"image\": ";

    // int(138 / 640 * 999) = 215, int(136 / 480 * 999) = 283, 366, 747.
    assertThat(written("<ref-object>: <bbox>", "[" + object + "0}]", WIDE, TALL))
        .isEqualTo("<ref>guy in red</ref>: <box> [[215, 283, 366, 747]] </box>");
    // 459.5, 194.1, 782.6, 512.3.
    assertThat(written("<bbox>", "[" + object + "1}]", WIDE, TALL))
        .isEqualTo("<box> [[459, 194, 782, 512]] </box>");
  }

  @Test
  void versionTwoHasSeveralBoxesAndOtherScales() throws Exception {
    assertThat(
            written(
                "<bbox><bbox><bbox><bbox>",
                """
                [{"caption": "", "bbox": [[0, 0, 640, 480], [1, 2, 3, 4]], "bbox_type": "real",
                  "image": 0},
                 {"caption": "", "bbox": [1, 20, 300, 999], "bbox_type": "norm_1000", "image": 0},
                 {"caption": "", "bbox": [0, 0.25, 0.5, 1], "bbox_type": "norm_1", "image": 0},
                 ["", [7, 8.5, 9, 1e-5]]]
                """,
                WIDE))
        .isEqualTo(
            "<box> [[0, 0, 999, 999],[1, 4, 4, 8]] </box><box> [[1, 20, 300, 999]] </box>"
                + "<box> [[0, 249, 499, 999]] </box><box> [[7, 8.5, 9, 1e-05]] </box>");
  }

  @Test
  void anObjectOfListsIsVersionThreesWhichRoundsTo1000() throws Exception {
    String objects =
        """
        {"ref": ["a dog", "a woman"], "width": [1], "height": [1], "image_id": [0, 1],
         "bbox": [[331.5, 461.4, 153.5, 94.8], [0.96, 685.8, 150, 0], [320, 240]]}
        """;

    // 239.84, 197.49999999999997, 517.97, 961.25; 3.2, 0, 500, 979.71; of the corners the upper
    // left first.
    assertThat(written("<ref-object><bbox>, <ref-object><bbox>, <bbox><bbox>", objects, WIDE, TALL))
        .isEqualTo(
            "<ref>a dog</ref><box>[[240, 197, 518, 961]]</box>, <ref>a woman</ref>"
                + "<box>[[3, 0, 500, 980]]</box>, <box>[[500, 500]]</box><bbox>");
  }

  @Test
  void halvesAreRoundedToTheEvenNumberAndSharesAreOfOne() throws Exception {
    assertThat(
            written(
                "<bbox>", "{\"bbox\": [[0.0005, 0.0015, 0.5, 1]], \"bbox_type\": \"norm1\"}", WIDE))
        .isEqualTo("<box>[[0, 2, 500, 1000]]</box>");
  }

  @Test
  void tagsAreCountedOverAllTurnsAndTextStays() throws Exception {
    List<Message> turns =
        List.of(
            new Message(Message.USER, "Find <ref-object>, not <ref>x</ref>"),
            new Message(Message.ASSISTANT, "$1 <ref-object> \\ <box>[[1, 2, 3, 4]]</box>", true));

    assertThat(
            Grounding.written(
                turns, RowReader.MAPPER.readTree("{\"ref\": [\"a\", \"b\"]}"), List.of(WIDE)))
        .containsExactly(
            new Message(Message.USER, "Find <ref>a</ref>, not <ref>x</ref>"),
            new Message(Message.ASSISTANT, "$1 <ref>b</ref> \\ <box>[[1, 2, 3, 4]]</box>", true));
    assertThat(Grounding.written(turns, null, List.of(WIDE))).isEqualTo(turns);
  }

  @Test
  void withoutPicturesBoxesStayAsTheyAre() throws Exception {
    assertThat(written("<bbox>", "{\"bbox\": [[30, 20.5, 10, 40]]}"))
        .isEqualTo("<box>[[10, 20.5, 30, 40]]</box>");
  }

  private static void assertFault(String text, String objects, String message) {
    assertThatThrownBy(() -> written(text, objects, WIDE))
        .isInstanceOf(RowFault.class)
        .hasMessage(message);
  }

  @Test
  void saysWhatIsWrongWithObjects() {
    assertFault(
        "<bbox><bbox>",
        "[{\"caption\": \"\", \"bbox\": [1, 2, 3, 4], \"bbox_type\": \"real\", \"image\": 0}]",
        "the turns have more tags than 'objects' has objects, 1");
    assertFault(
        "<bbox>",
        "[{\"bbox\": [1, 2, 3, 4], \"bbox_type\": \"real\", \"image\": 1}]",
        "'objects[0].image' is 1; the row's pictures are 0 to 0");
    assertFault(
        "<bbox>",
        "[{\"bbox\": [1, 2, 3, 4], \"bbox_type\": \"px\"}]",
        "'objects[0].bbox_type' is 'px'; known are real, norm_1000, norm_1");
    assertFault(
        "<bbox>",
        "[{\"bbox\": [1, 2, 3]}]",
        "'objects[0].bbox' must be [x1, y1, x2, y2], not [1,2,3]");
    assertFault("<ref-object>", "[{\"bbox\": []}]", "'objects[0]' has no 'caption'");
    assertFault(
        "<bbox>",
        "{\"bbox\": [[1, \"2\"]]}",
        "'objects.bbox[0]' must be [x, y] or [x1, y1, x2, y2], not [1,\"2\"]");
    assertFault("<bbox>", "{\"bbox\": 1}", "'objects.bbox' must be a list, not a number");
    assertFault(
        "<bbox>",
        "{\"bbox\": [[1, 2]], \"bbox_type\": \"norm_1000\"}",
        "'objects.bbox_type' is 'norm_1000'; known are real, norm1");
    assertFault(
        "<bbox>", "7", "'objects' must be a list of {caption, bbox}, or {ref, bbox}, not a number");
  }
}
