package dev.finetune.trainer.data;

import java.util.ArrayList;
import java.util.List;

/** Puts a conversation together, turn by turn, and checks that it is one. */
final class Turns {
  private final List<Message> messages = new ArrayList<>();
  private final List<String> pictures = new ArrayList<>();

  /** Puts a system turn of its own column in front; an empty one is none. */
  Turns system(String content) {
    if (!content.isEmpty()) {
      messages.add(new Message(Message.SYSTEM, content));
    }
    return this;
  }

  /**
   * Adds a turn.
   *
   * @param name what messages call it, such as messages[0]
   * @param message the turn
   * @throws RowFault if no such turn can follow those before it, or the assistant says nothing
   */
  void add(String name, Message message) throws RowFault {
    if (message.role().equals(Message.SYSTEM)) {
      if (!messages.isEmpty()) {
        throw new RowFault("'" + name + "': a system turn can only be the first");
      }
    } else {
      alternates(name, message.role());
    }
    if (message.role().equals(Message.ASSISTANT) && message.content().isBlank()) {
      throw new RowFault("'" + name + "': the assistant's content is empty");
    }
    messages.add(message);
  }

  /** Adds the pictures that stand in the turn that was added last. */
  void add(List<String> paths) {
    pictures.addAll(paths);
  }

  private void alternates(String name, String role) throws RowFault {
    String previous =
        messages.isEmpty() ? Message.SYSTEM : messages.get(messages.size() - 1).role();
    if (role.equals(Message.USER) == previous.equals(Message.USER)) {
      throw new RowFault(
          "'"
              + name
              + "': the roles must alternate, user first; "
              + role
              + " follows "
              + (messages.isEmpty() ? "nothing" : previous));
    }
  }

  /**
   * The conversation.
   *
   * @throws RowFault if it doesn't end with an answer
   */
  Conversation end() throws RowFault {
    if (messages.stream().noneMatch(message -> message.role().equals(Message.ASSISTANT))) {
      throw new RowFault("no assistant turn; there is nothing to learn from this row");
    } else if (!messages.get(messages.size() - 1).role().equals(Message.ASSISTANT)) {
      throw new RowFault("the last turn is the user's; remove it or write the answer");
    }
    return new Conversation(messages, pictures, null);
  }
}
