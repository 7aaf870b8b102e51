package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Turns a row into the turns of a conversation, without a system turn of the recipe's. */
interface RowFormat {
  /**
   * Converts a row.
   *
   * @throws RowFault if a column is missing, of another type, or without content
   */
  List<Message> messages(ObjectNode row) throws RowFault;

  /** A column that must be there and hold text. */
  static String required(ObjectNode row, String column) throws RowFault {
    JsonNode value = row.get(column);
    if (value == null) {
      throw new RowFault("no column '" + column + "'; found " + columns(row));
    }
    return text(value, column);
  }

  /** A column that may be missing, null or empty, which all read as "". */
  static String optional(ObjectNode row, String column) throws RowFault {
    JsonNode value = row.get(column);
    return value == null || value.isNull() ? "" : text(value, column);
  }

  /** The text of a value, which {@code name} calls in messages. */
  static String text(JsonNode value, String name) throws RowFault {
    if (!value.isTextual()) {
      throw new RowFault("'" + name + "' must be a string, not " + typeName(value));
    }
    String text = value.textValue();
    // The tokenizer takes well-formed Unicode only.
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      int codePoint = text.codePointAt(i);
      if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
        throw new RowFault(
            String.format("'%s' has half a surrogate pair, \\u%04x; remove it", name, codePoint));
      }
    }
    return text;
  }

  /** The columns of a row, for messages. */
  static String columns(ObjectNode row) {
    return row.isEmpty()
        ? "no columns"
        : String.join(", ", row.properties().stream().map(e -> e.getKey()).toList());
  }

  /** JSON's name of a value's type, for messages. */
  static String typeName(JsonNode value) {
    return switch (value.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case NUMBER -> "a number";
      case BOOLEAN -> "true or false";
      case NULL -> "null";
      default -> "a " + value.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    };
  }
}
