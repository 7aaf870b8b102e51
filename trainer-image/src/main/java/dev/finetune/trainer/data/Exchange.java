package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * A question with its answer, and what came before them: the columns system and history that Alpaca
 * and QueryResponse share.
 */
final class Exchange {
  private final List<Message> messages = new ArrayList<>();

  private Exchange() {}

  /** What a row has in system and history. */
  static Exchange before(ObjectNode row) throws RowFault {
    Exchange exchange = new Exchange();
    String system = RowFormat.optional(row, "system");
    if (!system.isEmpty()) {
      exchange.messages.add(new Message(Message.SYSTEM, system));
    }
    exchange.history(RowFormat.structured(row.get("history"), "history"));
    return exchange;
  }

  /** Adds the question and the answer, which {@code column} calls in messages. */
  Conversation end(String question, String column, String answer) throws RowFault {
    add(question, column, answer);
    return new Conversation(messages);
  }

  private void history(JsonNode history) throws RowFault {
    if (history == null || history.isNull()) {
      return;
    }
    if (!history.isArray()) {
      throw new RowFault(
          "'history' must be a list of [query, response], not " + RowFormat.typeName(history));
    }
    for (int i = 0; i < history.size(); i++) {
      JsonNode pair = history.get(i);
      String name = "history[" + i + "]";
      if (!pair.isArray() || pair.size() != 2) {
        throw new RowFault("'" + name + "' must be [query, response]");
      }
      String query = RowFormat.text(pair.get(0), name + "[0]");
      add(query, name + "[1]", RowFormat.text(pair.get(1), name + "[1]"));
    }
  }

  private void add(String question, String name, String answer) throws RowFault {
    if (answer.isBlank()) {
      throw new RowFault("'" + name + "' is empty; remove the row or write the answer");
    }
    messages.add(new Message(Message.USER, question));
    messages.add(new Message(Message.ASSISTANT, answer));
  }
}
