package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Rows of instruction, input and output, and optionally system and history, a list of [query,
 * response]. The user's turn is the instruction, with a newline and the input behind it where there
 * is one.
 */
final class AlpacaFormat implements RowFormat {
  @Override
  public Content content(ObjectNode row) throws RowFault {
    Exchange exchange = Exchange.before(row);
    String instruction = RowFormat.required(row, "instruction");
    String input = RowFormat.optional(row, "input");
    String output = RowFormat.required(row, "output");
    if (instruction.isBlank() && input.isBlank()) {
      throw new RowFault("'instruction' and 'input' are empty; there is nothing to answer");
    }
    return exchange.end(
        input.isEmpty() ? instruction : instruction + "\n" + input, "output", output);
  }
}
