package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Rows of messages, each with a role (system, user, assistant) and a content. */
final class MessagesFormat implements RowFormat {
  @Override
  public List<Message> messages(ObjectNode row) throws RowFault {
    JsonNode turns = row.get("messages");
    if (turns == null) {
      throw new RowFault("no column 'messages'; found " + RowFormat.columns(row));
    } else if (!turns.isArray()) {
      throw new RowFault(
          "'messages' must be a list of {role, content}, not " + RowFormat.typeName(turns));
    }
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < turns.size(); i++) {
      messages.add(message(turns.get(i), i, messages));
    }
    if (messages.stream().noneMatch(message -> message.role().equals(Message.ASSISTANT))) {
      throw new RowFault("no assistant turn; there is nothing to learn from this row");
    } else if (!messages.get(messages.size() - 1).role().equals(Message.ASSISTANT)) {
      throw new RowFault("the last turn is the user's; remove it or write the answer");
    }
    return messages;
  }

  private static Message message(JsonNode turn, int index, List<Message> before) throws RowFault {
    String name = "messages[" + index + "]";
    if (!(turn instanceof ObjectNode object)) {
      throw new RowFault("'" + name + "' must be {role, content}, not " + RowFormat.typeName(turn));
    }
    String role = member(object, name, "role");
    String content = member(object, name, "content");
    switch (role) {
      case Message.SYSTEM -> {
        if (index > 0) {
          throw new RowFault("'" + name + "': a system turn can only be the first");
        }
      }
      case Message.USER, Message.ASSISTANT -> alternates(role, name, before);
      default ->
          throw new RowFault(
              "'" + name + "': unknown role '" + role + "'; known are system, user, assistant");
    }
    if (role.equals(Message.ASSISTANT) && content.isBlank()) {
      throw new RowFault("'" + name + "': the assistant's content is empty");
    }
    return new Message(role, content);
  }

  private static String member(ObjectNode turn, String name, String member) throws RowFault {
    JsonNode value = turn.get(member);
    if (value == null) {
      throw new RowFault("'" + name + "' has no '" + member + "'");
    }
    return RowFormat.text(value, name + "." + member);
  }

  private static void alternates(String role, String name, List<Message> before) throws RowFault {
    String previous = before.isEmpty() ? Message.SYSTEM : before.get(before.size() - 1).role();
    boolean afterUser = previous.equals(Message.USER);
    if (role.equals(Message.USER) == afterUser) {
      throw new RowFault(
          "'"
              + name
              + "': the roles must alternate, user first; "
              + role
              + " follows "
              + (before.isEmpty() ? "nothing" : previous));
    }
  }
}
