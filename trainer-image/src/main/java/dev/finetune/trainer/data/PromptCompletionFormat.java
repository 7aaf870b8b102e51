package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Rows of prompt and completion: two texts that are joined as they are; or two lists of messages, a
 * conversation of which only the completion is learned. Both as TRL reads them.
 */
final class PromptCompletionFormat implements RowFormat {
  @Override
  public Content content(ObjectNode row) throws RowFault {
    JsonNode prompt = RowFormat.structured(column(row, "prompt"), "prompt");
    JsonNode completion = RowFormat.structured(column(row, "completion"), "completion");
    if (prompt.isArray() != completion.isArray()) {
      throw new RowFault("'prompt' and 'completion' must both be texts, or both lists of messages");
    }
    return prompt.isArray() ? conversation(prompt, completion) : continuation(row);
  }

  private static JsonNode column(ObjectNode row, String column) throws RowFault {
    JsonNode value = row.get(column);
    if (value == null) {
      throw new RowFault(RowFormat.missing(row, column));
    }
    return value;
  }

  private static Content conversation(JsonNode prompt, JsonNode completion) throws RowFault {
    Turns turns = new Turns();
    MessagesFormat.add(prompt, "prompt", Boolean.FALSE, turns);
    MessagesFormat.add(completion, "completion", null, turns);
    return turns.end();
  }

  private static Content continuation(ObjectNode row) throws RowFault {
    String prompt = RowFormat.required(row, "prompt");
    String completion = RowFormat.required(row, "completion");
    if (completion.isEmpty()) {
      throw new RowFault("'completion' is empty; remove the row or write the completion");
    }
    return new Continuation(prompt, completion);
  }
}
