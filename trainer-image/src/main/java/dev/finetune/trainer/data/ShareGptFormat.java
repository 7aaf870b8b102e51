package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;

/**
 * Rows of conversations, a list of {from, value} with human or user, gpt or assistant, and system;
 * or, as ms-swift 2 had it, of conversation, a list of {human, assistant}. Optionally system, and
 * with each turn its loss: whether it is learned.
 */
final class ShareGptFormat implements RowFormat {
  private static final Map<String, String> ROLES =
      new TreeMap<>(
          Map.of(
              "human", Message.USER,
              "user", Message.USER,
              "gpt", Message.ASSISTANT,
              "assistant", Message.ASSISTANT,
              "system", Message.SYSTEM));

  @Override
  public Content content(ObjectNode row) throws RowFault {
    Turns turns = new Turns().system(RowFormat.optional(row, "system"));
    if (row.has("conversation") && !row.has("conversations")) {
      pairs(RowFormat.list(row, "conversation", "{human, assistant}"), turns);
    } else {
      turns(RowFormat.list(row, "conversations", "{from, value}"), turns);
    }
    return turns.end();
  }

  private static void turns(JsonNode list, Turns turns) throws RowFault {
    for (int i = 0; i < list.size(); i++) {
      String name = "conversations[" + i + "]";
      ObjectNode turn = RowFormat.object(list.get(i), name, "{from, value}");
      String from = RowFormat.member(turn, name, "from");
      String value = RowFormat.member(turn, name, "value");
      String role = ROLES.get(from);
      if (role == null) {
        throw new RowFault(
            "'"
                + name
                + "': unknown role '"
                + from
                + "'; known are "
                + String.join(", ", ROLES.keySet()));
      }
      turns.add(name, new Message(role, value, RowFormat.loss(turn, name)));
    }
  }

  private static void pairs(JsonNode list, Turns turns) throws RowFault {
    for (int i = 0; i < list.size(); i++) {
      String name = "conversation[" + i + "]";
      ObjectNode pair = RowFormat.object(list.get(i), name, "{human, assistant}");
      String human = RowFormat.member(pair, name, "human");
      String assistant = RowFormat.member(pair, name, "assistant");
      turns.add(name, new Message(Message.USER, human));
      turns.add(name, new Message(Message.ASSISTANT, assistant, RowFormat.loss(pair, name)));
    }
  }
}
