package dev.finetune.trainer.data;

import java.util.List;

/**
 * Turns that the chat template writes: at most one system turn, then user and assistant in turn,
 * ending with an assistant.
 *
 * @param messages the turns
 */
record Conversation(List<Message> messages) implements Content {
  Conversation {
    messages = List.copyOf(messages);
  }

  @Override
  public int size() {
    return messages.stream().mapToInt(message -> message.content().length()).sum();
  }
}
