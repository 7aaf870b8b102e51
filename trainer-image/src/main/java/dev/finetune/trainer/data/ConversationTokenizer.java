package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.trainer.data.jinja.JinjaException;
import java.util.List;

/**
 * Turns a conversation into tokens and labels. Of an assistant's turn what follows its generation
 * prompt is learned: the assistant's words, the token that ends its turn, and what the template
 * writes behind that.
 */
final class ConversationTokenizer {
  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private final Supervision supervision;

  ConversationTokenizer(ChatTemplate template, Tokenizer tokenizer, Supervision supervision) {
    this.template = template;
    this.tokenizer = tokenizer;
    this.supervision = supervision;
  }

  /**
   * Tokenises a conversation.
   *
   * @throws RowFault if the template refuses it, or doesn't write the turns one behind the other
   */
  LabelledTokens tokenize(List<Message> messages) throws RowFault {
    TokenizedText text = new TokenizedText(render(messages, false), tokenizer);
    LabelledTokens tokens = LabelledTokens.ignored(text.ids());
    tokens.learn(0, tokens.length(), supervision == Supervision.ALL);
    for (int turn = 0; turn < messages.size(); turn++) {
      boolean byDefault = learnedByDefault(messages, turn);
      Boolean own = messages.get(turn).loss();
      boolean learned = own == null ? byDefault : own;
      // Under All everything is learned already, with what stands between the turns.
      if (learned != (supervision == Supervision.ALL)) {
        tokens.learn(start(messages, turn, text), end(messages, turn, text), learned);
      }
    }
    return tokens;
  }

  private boolean learnedByDefault(List<Message> messages, int turn) {
    boolean isAnswer = messages.get(turn).role().equals(Message.ASSISTANT);
    return switch (supervision) {
      case ALL -> true;
      case ANSWERS -> isAnswer;
      case LAST_ANSWER -> isAnswer && turn == messages.size() - 1;
    };
  }

  private int start(List<Message> messages, int turn, TokenizedText text) throws RowFault {
    boolean isAnswer = messages.get(turn).role().equals(Message.ASSISTANT);
    return turn == 0 ? 0 : boundary(render(messages.subList(0, turn), isAnswer), text, turn);
  }

  private int end(List<Message> messages, int turn, TokenizedText text) throws RowFault {
    return turn == messages.size() - 1
        ? text.ids().length
        : boundary(render(messages.subList(0, turn + 1), false), text, turn);
  }

  private static int boundary(String beginning, TokenizedText text, int turn) throws RowFault {
    if (!text.beginsWith(beginning)) {
      throw new RowFault(
          "the chat template writes turn "
              + (turn + 1)
              + " differently once more turns follow, so"
              + " its tokens can't be told from the others'; split the row into conversations that"
              + " end with their only assistant turn, or set model.template to a built-in one");
    }
    return text.tokensOf(beginning);
  }

  private String render(List<Message> messages, boolean addGenerationPrompt) throws RowFault {
    try {
      return template.render(messages, addGenerationPrompt);
    } catch (JinjaException e) {
      throw new RowFault("the chat template refuses the conversation: " + e.getMessage());
    }
  }
}
