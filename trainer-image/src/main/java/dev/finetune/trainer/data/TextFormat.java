package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Rows of text, every token of which is learned. */
final class TextFormat implements RowFormat {
  static final String COLUMN = "text";

  @Override
  public Content content(ObjectNode row) throws RowFault {
    String text = RowFormat.required(row, COLUMN);
    if (text.isBlank()) {
      throw new RowFault("'text' is empty; remove the row");
    }
    return new PlainText(text);
  }
}
