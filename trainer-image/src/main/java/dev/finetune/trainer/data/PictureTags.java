package dev.finetune.trainer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.ArrayList;
import java.util.List;

/** The pictures of a row, and the tags in its users' turns that they stand for. */
public final class PictureTags {
  /** Where a picture stands in a user's turn. */
  static final String TAG = "<image>";

  private static final List<String> COLUMNS = List.of("images", "image");
  private static final String OBJECTS = "objects";

  private PictureTags() {}

  /**
   * What a row says with its pictures: as many tags in the users' turns as there are, one of each
   * in front of the first turn where the row has none. Without a picture a tag is text.
   *
   * @param content what the row says; its pictures are those that stand among its turns
   * @param row the row, for the columns that name pictures and objects
   * @throws RowFault if a text has pictures, or tags and pictures don't match
   */
  static Content of(Content content, ObjectNode row) throws RowFault {
    List<String> named = named(row);
    if (!(content instanceof Conversation conversation)) {
      if (!named.isEmpty()) {
        throw new RowFault(
            "the row has pictures, and is a text without turns; only a conversation can have"
                + " pictures");
      }
      return content;
    }
    List<String> pictures = merged(conversation.pictures(), named);
    JsonNode objects = Grounding.hasTag(conversation.messages()) ? objects(row) : null;
    List<Message> messages = conversation.messages();
    if (!pictures.isEmpty() || !conversation.pictures().isEmpty()) {
      messages = tagged(messages, pictures.size());
    }
    return new Conversation(messages, pictures, objects);
  }

  /**
   * A user's turn with a tag for each of its pictures, in front where it has none.
   *
   * @param text what the user says
   * @param pictures how many there are
   * @throws TrainerException USAGE if the text has another number of tags
   */
  public static String tagged(String text, int pictures) {
    int tags = count(text);
    if (pictures > 0 && tags > 0 && tags != pictures) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%d pictures and %d %s in the prompt; write one where each picture stands, or none"
              .formatted(pictures, tags, TAG));
    }
    return tags > 0 ? text : TAG.repeat(pictures) + text;
  }

  private static List<String> merged(List<String> parts, List<String> named) throws RowFault {
    long unnamed = parts.stream().filter(String::isEmpty).count();
    if (unnamed == parts.size()) {
      return named;
    } else if (unnamed > 0 || !named.isEmpty()) {
      throw new RowFault(
          "some pictures are named in the turns and some aren't; name all of them in the turns, or"
              + " all in 'images'");
    }
    return parts;
  }

  private static List<Message> tagged(List<Message> messages, int pictures) throws RowFault {
    int tags =
        messages.stream()
            .filter(PictureTags::isUsers)
            .mapToInt(turn -> count(turn.content()))
            .sum();
    if (tags == pictures) {
      return messages;
    } else if (tags > 0) {
      throw new RowFault(
          "%s and %s %s in the user's turns; write one where each picture stands, or none"
              .formatted(
                  pictures == 1 ? "1 picture" : pictures + " pictures",
                  tags,
                  tags == 1 ? TAG : TAG + " tags"));
    }
    List<Message> tagged = new ArrayList<>(messages);
    int first = 0;
    while (!isUsers(tagged.get(first))) {
      first++;
    }
    Message turn = tagged.get(first);
    tagged.set(first, new Message(turn.role(), TAG.repeat(pictures) + turn.content(), turn.loss()));
    return tagged;
  }

  private static boolean isUsers(Message turn) {
    return turn.role().equals(Message.USER);
  }

  private static int count(String text) {
    return text.split(TAG, -1).length - 1;
  }

  /** The pictures that columns name. */
  private static List<String> named(ObjectNode row) throws RowFault {
    List<String> named = List.of();
    for (String column : COLUMNS) {
      List<String> own = paths(json(row.get(column), column), column);
      if (!own.isEmpty() && !named.isEmpty()) {
        throw new RowFault("'images' and 'image' both name pictures; keep one of them");
      }
      named = own.isEmpty() ? named : own;
    }
    return named;
  }

  private static List<String> paths(JsonNode value, String name) throws RowFault {
    if (value == null || value.isNull()) {
      return List.of();
    } else if (!value.isArray()) {
      String path = path(value, name);
      return path.isEmpty() ? List.of() : List.of(path);
    }
    List<String> paths = new ArrayList<>();
    for (int i = 0; i < value.size(); i++) {
      String path = path(value.get(i), name + "[" + i + "]");
      if (path.isEmpty()) {
        throw new RowFault("'" + name + "[" + i + "]' is empty; name the picture's file");
      }
      paths.add(path);
    }
    return paths;
  }

  private static String path(JsonNode value, String name) throws RowFault {
    if (!(value instanceof ObjectNode object)) {
      return RowFormat.text(value, name);
    }
    JsonNode path = object.get("path");
    JsonNode bytes = object.get("bytes");
    if (path == null || path.isNull()) {
      throw new RowFault(
          "'%s' has no 'path'%s"
              .formatted(
                  name,
                  bytes == null || bytes.isNull()
                      ? ""
                      : " but the picture's bytes; save the pictures as files and name them"));
    }
    return RowFormat.text(path, name + ".path");
  }

  private static JsonNode objects(ObjectNode row) throws RowFault {
    JsonNode objects = json(row.get(OBJECTS), OBJECTS);
    boolean none = objects == null || objects.isNull() || objects.isEmpty();
    return none ? null : objects;
  }

  /** A value that may be written as JSON in a text: a CSV file has only texts. */
  private static JsonNode json(JsonNode value, String column) throws RowFault {
    if (value == null || !value.isTextual()) {
      return value;
    }
    String text = value.textValue().strip();
    boolean isObject = text.startsWith("{") || text.startsWith("[{") || text.startsWith("[[");
    // A path may begin with a bracket, a list of paths has a quote or nothing behind it.
    if (!isObject && !text.matches("(?s)\\[\\s*(\".*)?\\]")) {
      return value;
    }
    try {
      return RowReader.MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new RowFault("'" + column + "': " + RowReader.brokenJson(e));
    }
  }
}
