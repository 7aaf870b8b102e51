package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * Turns that the chat template writes: at most one system turn, then user and assistant in turn,
 * ending with an assistant.
 *
 * @param messages the turns, {@link PictureTags#TAG} in the users' where each picture stands
 * @param pictures the pictures' paths in their order; of a conversation that isn't read to its end
 *     as the row has them
 * @param objects what {@link Grounding} writes into the turns; null for nothing
 */
record Conversation(List<Message> messages, List<String> pictures, JsonNode objects)
    implements Content {
  Conversation {
    messages = List.copyOf(messages);
    pictures = List.copyOf(pictures);
  }

  /** Turns without pictures. */
  Conversation(List<Message> messages) {
    this(messages, List.of(), null);
  }

  @Override
  public int size() {
    return messages.stream().mapToInt(message -> message.content().length()).sum()
        + pictures.stream().mapToInt(String::length).sum();
  }
}
