package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows of instruction, input and output, and optionally system and history, a list of [query,
 * response]. The user's turn is the instruction, with a newline and the input behind it where there
 * is one.
 */
final class AlpacaFormat implements RowFormat {
  @Override
  public List<Message> messages(ObjectNode row) throws RowFault {
    List<Message> messages = new ArrayList<>();
    String system = RowFormat.optional(row, "system");
    if (!system.isEmpty()) {
      messages.add(new Message(Message.SYSTEM, system));
    }
    history(row.get("history"), messages);
    String instruction = RowFormat.required(row, "instruction");
    String input = RowFormat.optional(row, "input");
    String output = RowFormat.required(row, "output");
    if (instruction.isBlank() && input.isBlank()) {
      throw new RowFault("'instruction' and 'input' are empty; there is nothing to answer");
    }
    messages.add(
        new Message(Message.USER, input.isEmpty() ? instruction : instruction + "\n" + input));
    messages.add(new Message(Message.ASSISTANT, answer(output, "output")));
    return messages;
  }

  private static void history(JsonNode history, List<Message> messages) throws RowFault {
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
      messages.add(new Message(Message.USER, RowFormat.text(pair.get(0), name + "[0]")));
      String response = RowFormat.text(pair.get(1), name + "[1]");
      messages.add(new Message(Message.ASSISTANT, answer(response, name + "[1]")));
    }
  }

  private static String answer(String text, String name) throws RowFault {
    if (text.isBlank()) {
      throw new RowFault("'" + name + "' is empty; remove the row or write the answer");
    }
    return text;
  }
}
