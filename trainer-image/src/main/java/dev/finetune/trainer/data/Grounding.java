package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.trainer.data.jinja.PythonText;
import dev.finetune.trainer.picture.Picture;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes the objects of a row where its tags {@code <ref-object>} and {@code <bbox>} stand, as
 * ms-swift does for InternVL2. The n-th tag of each kind, over all turns, is the n-th object's.
 *
 * <p>The column's form tells whose rules hold, for both are read by their own version alone. A list
 * is ms-swift 2's: {@code <box> [[x1, y1, x2, y2]] </box>}, pixels times 999 over the picture's
 * side, cut to a whole number (swift/llm/utils/template.py of 2.6.1). An object of lists is
 * ms-swift 3's: {@code <box>[[x1, y1, x2, y2]]</box>}, times 1000, rounded half to even
 * (swift/llm/template/base.py of 3.12). Boxes of a row without pictures are written as they are.
 */
abstract class Grounding {
  private static final String REF = "<ref-object>";
  private static final Pattern TAGS = Pattern.compile(REF + "|<bbox>");

  /** Whether an object is to be written into one of the turns. */
  static boolean hasTag(List<Message> messages) {
    return messages.stream().anyMatch(turn -> TAGS.matcher(turn.content()).find());
  }

  /**
   * The turns with the objects in place of the tags.
   *
   * @param messages the turns
   * @param objects the row's column; null for none, and then the tags are text
   * @param pictures the row's pictures
   * @throws RowFault if the column has another form, or names a picture that the row doesn't have
   */
  static List<Message> written(List<Message> messages, JsonNode objects, List<Picture> pictures)
      throws RowFault {
    if (objects == null) {
      return messages;
    }
    if (!objects.isArray() && !objects.isObject()) {
      throw new RowFault(
          "'objects' must be a list of {caption, bbox}, or {ref, bbox}, not "
              + RowFormat.typeName(objects));
    }
    Grounding grounding =
        objects.isArray() ? new Listed(objects, pictures) : new Columns(objects, pictures);
    int refs = 0;
    int boxes = 0;
    List<Message> written = new ArrayList<>();
    for (Message turn : messages) {
      StringBuilder text = new StringBuilder();
      Matcher tags = TAGS.matcher(turn.content());
      while (tags.find()) {
        boolean isRef = tags.group().equals(REF);
        String object = isRef ? grounding.ref(refs++) : grounding.box(boxes++);
        tags.appendReplacement(
            text, Matcher.quoteReplacement(object == null ? tags.group() : object));
      }
      tags.appendTail(text);
      written.add(new Message(turn.role(), text.toString(), turn.loss()));
    }
    return written;
  }

  private final List<Picture> pictures;

  private Grounding(List<Picture> pictures) {
    this.pictures = pictures;
  }

  /** What stands for the n-th {@code <ref-object>}; null: the tag itself. */
  abstract String ref(int index) throws RowFault;

  /** What stands for the n-th {@code <bbox>}; null: the tag itself. */
  abstract String box(int index) throws RowFault;

  static String named(String name) {
    return "<ref>" + name + "</ref>";
  }

  /** Whether there is a picture whose size the boxes are a part of. */
  boolean scales() {
    return !pictures.isEmpty();
  }

  /** The picture of a box: the first one where the row doesn't say. */
  Picture picture(JsonNode index, String name) throws RowFault {
    int picture = index == null || index.isNull() ? 0 : index.asInt(-1);
    if (picture < 0 || picture >= pictures.size()) {
      throw new RowFault(
          "'%s' is %s; the row's pictures are 0 to %d".formatted(name, index, pictures.size() - 1));
    }
    return pictures.get(picture);
  }

  /** The numbers of a box. */
  static List<Number> numbers(JsonNode box, String name, boolean pointsToo) throws RowFault {
    List<Number> numbers = new ArrayList<>();
    box.forEach(number -> numbers.add(number.isNumber() ? number.numberValue() : Double.NaN));
    boolean sized = numbers.size() == 4 || (pointsToo && numbers.size() == 2);
    if (!box.isArray() || !sized || numbers.stream().anyMatch(n -> Double.isNaN(n.doubleValue()))) {
      throw new RowFault(
          "'%s' must be %s, not %s"
              .formatted(name, pointsToo ? "[x, y] or [x1, y1, x2, y2]" : "[x1, y1, x2, y2]", box));
    }
    return numbers;
  }

  /** Numbers as Python writes a list of them. */
  static String list(List<Number> numbers) {
    List<String> texts = new ArrayList<>();
    for (Number number : numbers) {
      boolean isReal = number instanceof Double || number instanceof Float;
      texts.add(isReal ? PythonText.real(number.doubleValue()) : number.toString());
    }
    return "[" + String.join(", ", texts) + "]";
  }

  /** ms-swift 2: a list of {caption, bbox, bbox_type, image}, or of [caption, bbox]. */
  private static final class Listed extends Grounding {
    private static final int SCALE = 999;

    private final JsonNode objects;

    Listed(JsonNode objects, List<Picture> pictures) {
      super(pictures);
      this.objects = objects;
    }

    private JsonNode member(int index, String member, int place) throws RowFault {
      JsonNode object = objects.get(index);
      if (object == null) {
        throw new RowFault(
            "the turns have more tags than 'objects' has objects, " + objects.size());
      }
      JsonNode value = object.isArray() ? object.get(place) : object.get(member);
      if (value == null) {
        throw new RowFault("'objects[" + index + "]' has no '" + member + "'");
      }
      return value;
    }

    @Override
    String ref(int index) throws RowFault {
      return named(RowFormat.text(member(index, "caption", 0), "objects[" + index + "].caption"));
    }

    @Override
    String box(int index) throws RowFault {
      JsonNode box = member(index, "bbox", 1);
      String name = "objects[" + index + "].bbox";
      List<String> boxes = new ArrayList<>();
      if (box.path(0).isArray()) {
        for (int i = 0; i < box.size(); i++) {
          boxes.add(list(scaled(numbers(box.get(i), name + "[" + i + "]", false), index)));
        }
      } else {
        boxes.add(list(scaled(numbers(box, name, false), index)));
      }
      return "<box> [" + String.join(",", boxes) + "] </box>";
    }

    private List<Number> scaled(List<Number> box, int index) throws RowFault {
      String name = "objects[" + index + "]";
      String type = objects.get(index).path("bbox_type").asText("null");
      return switch (scales() ? type : "null") {
        case "null", "norm_1000" -> box;
        case "norm_1" -> scaled(box, 1, 1);
        case "real" -> {
          Picture picture = picture(objects.get(index).get("image"), name + ".image");
          yield scaled(box, picture.width(), picture.height());
        }
        default ->
            throw new RowFault(
                "'%s.bbox_type' is '%s'; known are real, norm_1000, norm_1".formatted(name, type));
      };
    }

    private static List<Number> scaled(List<Number> box, int width, int height) {
      List<Number> scaled = new ArrayList<>();
      for (int i = 0; i < box.size(); i++) {
        int side = i % 2 == 0 ? width : height;
        scaled.add((long) (box.get(i).doubleValue() / side * SCALE));
      }
      return scaled;
    }
  }

  /** ms-swift 3: {ref, bbox, bbox_type, image_id}, a list of refs and one of boxes. */
  private static final class Columns extends Grounding {
    private static final int SCALE = 1000;

    private final JsonNode objects;

    Columns(JsonNode objects, List<Picture> pictures) {
      super(pictures);
      this.objects = objects;
    }

    @Override
    String ref(int index) throws RowFault {
      JsonNode ref = column("ref").get(index);
      return ref == null ? null : named(RowFormat.text(ref, "objects.ref[" + index + "]"));
    }

    private JsonNode column(String name) throws RowFault {
      JsonNode column = objects.path(name);
      if (!column.isArray() && !column.isMissingNode() && !column.isNull()) {
        throw new RowFault(
            "'objects." + name + "' must be a list, not " + RowFormat.typeName(column));
      }
      return column;
    }

    @Override
    String box(int index) throws RowFault {
      JsonNode box = column("bbox").get(index);
      return box == null
          ? null
          : "<box>["
              + list(scaled(ordered(numbers(box, "objects.bbox[" + index + "]", true)), index))
              + "]</box>";
    }

    /** The upper left corner first. */
    private static List<Number> ordered(List<Number> box) {
      for (int i = 0; i + 2 < box.size(); i++) {
        if (box.get(i).doubleValue() > box.get(i + 2).doubleValue()) {
          Number larger = box.set(i, box.get(i + 2));
          box.set(i + 2, larger);
        }
      }
      return box;
    }

    private List<Number> scaled(List<Number> box, int index) throws RowFault {
      if (!scales()) {
        return box;
      }
      String type = objects.path("bbox_type").asText("real");
      if (!List.of("real", "null", "norm1").contains(type)) {
        throw new RowFault("'objects.bbox_type' is '" + type + "'; known are real, norm1");
      }
      boolean isShare = type.equals("norm1");
      Picture picture = picture(column("image_id").get(index), "objects.image_id[" + index + "]");
      List<Number> scaled = new ArrayList<>();
      for (int i = 0; i < box.size(); i++) {
        int side = isShare ? 1 : i % 2 == 0 ? picture.width() : picture.height();
        scaled.add((long) Math.rint(box.get(i).doubleValue() / side * SCALE));
      }
      return scaled;
    }
  }
}
