package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What a turn of messages says: a text, or a list of texts and pictures as transformers and OpenAI
 * have it.
 *
 * @param text the texts one behind the other, {@link PictureTags#TAG} where a picture stands
 * @param pictures the pictures' paths in their order; empty for one that the row's column names
 */
record ContentParts(String text, List<String> pictures) {
  private static final String PARTS = "{type: text, text} or {type: image, path}";

  /**
   * Reads the content of a turn.
   *
   * @param turn the turn
   * @param name what messages call it, such as messages[0]
   * @param role who says it: only the user's turn can hold a picture
   */
  static ContentParts of(ObjectNode turn, String name, String role) throws RowFault {
    JsonNode content = turn.get("content");
    if (content == null || !content.isArray()) {
      return new ContentParts(RowFormat.member(turn, name, "content"), List.of());
    }
    StringBuilder text = new StringBuilder();
    List<String> pictures = new ArrayList<>();
    for (int i = 0; i < content.size(); i++) {
      String partName = name + ".content[" + i + "]";
      ObjectNode part = RowFormat.object(content.get(i), partName, PARTS);
      String type = RowFormat.member(part, partName, "type");
      switch (type) {
        case "text" -> text.append(RowFormat.member(part, partName, "text"));
        case "image", "image_url" -> {
          if (!role.equals(Message.USER)) {
            throw new RowFault("'" + partName + "': a picture can only stand in a user's turn");
          }
          text.append(PictureTags.TAG);
          pictures.add(path(part, partName));
        }
        default ->
            throw new RowFault(
                "'" + partName + "': unknown type '" + type + "'; known are text, image");
      }
    }
    return new ContentParts(text.toString(), pictures);
  }

  /** OpenAI's image_url is an object of url. */
  private static String path(ObjectNode part, String name) throws RowFault {
    for (String member : new String[] {"image", "path", "url", "image_url"}) {
      JsonNode value = part.get(member);
      if (value instanceof ObjectNode object) {
        return path(object, name + "." + member);
      } else if (value != null && !value.isNull()) {
        return RowFormat.text(value, name + "." + member);
      }
    }
    return "";
  }
}
