package dev.finetune.trainer.data;

/**
 * A text of which every token is learned, without a chat template.
 *
 * @param text the text
 */
record PlainText(String text) implements Content {
  @Override
  public int size() {
    return text.length();
  }
}
