package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.jinja.JinjaException;
import dev.finetune.trainer.picture.Picture;
import java.util.List;
import java.util.Set;

/**
 * A conversation as one text, tokenised as a whole. Of an assistant's turn what follows its
 * generation prompt is learned: the assistant's words, the token that ends its turn, and what the
 * template writes behind that.
 */
final class RenderedForm extends ConversationForm {
  private static final String NO_PICTURES =
      "the chat template can't write pictures; set model.template to Auto, InternVL2 or"
          + " InternVL2_5";

  RenderedForm(ChatTemplate template, Tokenizer tokenizer) {
    super(template, tokenizer);
  }

  /**
   * Tokenises a conversation.
   *
   * @throws RowFault if the template refuses it, or doesn't write the turns one behind the other,
   *     or there are pictures
   */
  @Override
  LabelledTokens tokenize(List<Message> messages, List<Picture> pictures, Supervision supervision)
      throws RowFault {
    if (!pictures.isEmpty()) {
      throw new RowFault(NO_PICTURES);
    }
    TokenizedText text = new TokenizedText(render(messages, false), tokenizer());
    LabelledTokens tokens = LabelledTokens.ignored(text.ids());
    tokens.learn(0, tokens.length(), supervision == Supervision.ALL);
    for (int turn = 0; turn < messages.size(); turn++) {
      boolean learned = learned(messages, turn, supervision);
      // Under All everything is learned already, with what stands between the turns.
      if (learned != (supervision == Supervision.ALL)) {
        tokens.learn(start(messages, turn, text), end(messages, turn, text), learned);
      }
    }
    return tokens;
  }

  @Override
  public int[] prompt(List<Message> messages, List<Picture> pictures) {
    if (!pictures.isEmpty()) {
      throw new TrainerException(TrainerExit.USAGE, NO_PICTURES);
    }
    return tokenizer().encode(template().render(messages, true));
  }

  @Override
  Set<Integer> taughtStops() {
    return tokenizer().stopIds();
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
      return template().render(messages, addGenerationPrompt);
    } catch (JinjaException e) {
      throw new RowFault("the chat template refuses the conversation: " + e.getMessage());
    }
  }
}
