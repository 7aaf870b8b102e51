package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/** Turns a row into what it says, without a system turn of the recipe's. */
interface RowFormat {
  /**
   * Converts a row.
   *
   * @throws RowFault if a column is missing, of another type, or without content
   */
  Content content(ObjectNode row) throws RowFault;

  /** A column that must be there and hold text. */
  static String required(ObjectNode row, String column) throws RowFault {
    JsonNode value = row.get(column);
    if (value == null) {
      throw new RowFault(missing(row, column));
    }
    return text(value, column);
  }

  /** That a column isn't there. */
  static String missing(ObjectNode row, String column) {
    return "no column '" + column + "'; found " + columns(row);
  }

  /** A column that may be missing, null or empty, which all read as "". */
  static String optional(ObjectNode row, String column) throws RowFault {
    JsonNode value = row.get(column);
    return value == null || value.isNull() ? "" : text(value, column);
  }

  /** A column that must be there and hold a list of what {@code element} describes. */
  static JsonNode list(ObjectNode row, String column, String element) throws RowFault {
    JsonNode value = structured(row.get(column), column);
    if (value == null) {
      throw new RowFault(missing(row, column));
    } else if (!value.isArray()) {
      throw new RowFault(
          "'" + column + "' must be a list of " + element + ", not " + typeName(value));
    }
    return value;
  }

  /**
   * A value that may be a list: a CSV file has only texts, so one that begins like a JSON list is
   * read as one, and an empty one is null.
   */
  static JsonNode structured(JsonNode value, String column) throws RowFault {
    if (value == null || !value.isTextual()) {
      return value;
    }
    String text = value.textValue().strip();
    if (text.startsWith("[{") || text.startsWith("[[")) {
      try {
        return RowReader.MAPPER.readTree(text);
      } catch (JsonProcessingException e) {
        throw new RowFault("'" + column + "': " + RowReader.brokenJson(e));
      }
    }
    return text.isEmpty() && column.equals("history") ? null : value;
  }

  /** An element that must be an object of what {@code members} describes. */
  static ObjectNode object(JsonNode value, String name, String members) throws RowFault {
    if (value instanceof ObjectNode object) {
      return object;
    }
    throw new RowFault("'" + name + "' must be " + members + ", not " + typeName(value));
  }

  /** A member that must be there and hold text. */
  static String member(ObjectNode object, String name, String member) throws RowFault {
    JsonNode value = object.get(member);
    if (value == null) {
      throw new RowFault("'" + name + "' has no '" + member + "'");
    }
    return text(value, name + "." + member);
  }

  /**
   * Whether a turn is learned: its loss, which ms-swift writes as true or false, or its weight,
   * which OpenAI writes as 1 or 0; null where it has neither.
   */
  static Boolean loss(ObjectNode turn, String name) throws RowFault {
    for (String member : new String[] {"loss", "weight"}) {
      JsonNode value = turn.get(member);
      if (value != null && !value.isNull()) {
        return flag(value, name + "." + member);
      }
    }
    return null;
  }

  private static boolean flag(JsonNode value, String name) throws RowFault {
    boolean isNumber = value.isNumber() && (value.doubleValue() == 0 || value.doubleValue() == 1);
    if (!value.isBoolean() && !isNumber) {
      throw new RowFault("'" + name + "' must be true, false, 0 or 1, not " + value);
    }
    return value.isBoolean() ? value.booleanValue() : value.doubleValue() == 1;
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
      default -> "a " + value.getNodeType().name().toLowerCase(Locale.ROOT);
    };
  }
}
