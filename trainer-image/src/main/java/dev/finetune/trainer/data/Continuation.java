package dev.finetune.trainer.data;

/**
 * A text and how it goes on: joined as they are, without a chat template; only what follows is
 * learned.
 *
 * @param prompt the beginning
 * @param completion what follows it
 */
record Continuation(String prompt, String completion) implements Content {
  @Override
  public int size() {
    return prompt.length() + completion.length();
  }
}
