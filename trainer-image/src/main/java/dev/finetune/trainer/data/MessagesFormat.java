package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Rows of messages, each with a role (system, user, assistant) and a content, a text or a list of
 * parts ({@link ContentParts}), and optionally with a loss or OpenAI's weight: whether the turn is
 * learned.
 */
final class MessagesFormat implements RowFormat {
  @Override
  public Content content(ObjectNode row) throws RowFault {
    Turns turns = new Turns();
    add(RowFormat.list(row, "messages", "{role, content}"), "messages", null, turns);
    return turns.end();
  }

  /**
   * Adds the turns of a list.
   *
   * @param loss whether they are learned; null: as each of them says
   */
  static void add(JsonNode list, String column, Boolean loss, Turns turns) throws RowFault {
    for (int i = 0; i < list.size(); i++) {
      String name = column + "[" + i + "]";
      ObjectNode turn = RowFormat.object(list.get(i), name, "{role, content}");
      String role = RowFormat.member(turn, name, "role");
      if (!role.equals(Message.SYSTEM)
          && !role.equals(Message.USER)
          && !role.equals(Message.ASSISTANT)) {
        throw new RowFault(
            "'" + name + "': unknown role '" + role + "'; known are system, user, assistant");
      }
      Boolean own = RowFormat.loss(turn, name);
      ContentParts content = ContentParts.of(turn, name, role);
      turns.add(name, new Message(role, content.text(), loss == null ? own : loss));
      turns.add(content.pictures());
    }
  }
}
