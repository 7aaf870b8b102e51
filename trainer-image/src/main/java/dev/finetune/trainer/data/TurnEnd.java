package dev.finetune.trainer.data;

import dev.finetune.trainer.data.jinja.JinjaException;
import java.util.List;
import java.util.Optional;

/** The token by which a chat template ends what the assistant says. */
final class TurnEnd {
  private static final String QUESTION = "question";
  private static final String ANSWER = "answer";

  private TurnEnd() {}

  /**
   * Finds it: the special token behind the answer of a conversation. Empty where something else
   * stands there, which a model may well say in the middle of an answer.
   */
  static Optional<Integer> of(ChatTemplate template, Tokenizer tokenizer) {
    String text;
    try {
      text =
          template.render(
              List.of(new Message(Message.USER, QUESTION), new Message(Message.ASSISTANT, ANSWER)),
              false);
    } catch (JinjaException e) {
      // It wants another kind of conversation; the model's own end tokens are known without it.
      return Optional.empty();
    }
    int[] behind = tokenizer.encode(text.substring(text.lastIndexOf(ANSWER) + ANSWER.length()));
    boolean special = behind.length > 0 && tokenizer.decode(new int[] {behind[0]}, true).isEmpty();
    return special ? Optional.of(behind[0]) : Optional.empty();
  }
}
