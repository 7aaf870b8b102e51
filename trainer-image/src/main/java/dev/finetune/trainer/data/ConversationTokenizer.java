package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.trainer.data.jinja.JinjaException;
import java.util.Arrays;
import java.util.List;

/**
 * Turns a conversation into tokens and labels. What follows a generation prompt is supervised: the
 * assistant's words, the token that ends its turn, and what the template writes behind that.
 */
final class ConversationTokenizer {
  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private final int maxLength;
  private final Overlong overlong;

  ConversationTokenizer(
      ChatTemplate template, Tokenizer tokenizer, int maxLength, Overlong overlong) {
    this.template = template;
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.overlong = overlong;
  }

  /**
   * What became of a conversation; without an example it was dropped.
   *
   * @param example its tokens, or null
   * @param length its tokens before any cut
   */
  record Outcome(TokenizedExample example, int length) {}

  /**
   * Tokenises a conversation.
   *
   * @throws RowFault if the template refuses it, or doesn't write the turns one behind the other
   */
  Outcome tokenize(Conversation conversation) throws RowFault {
    TokenizedExample whole = label(conversation);
    TokenizedExample cut = whole;
    if (whole.length() > maxLength) {
      cut =
          switch (overlong) {
            case DROP -> null;
            case TRUNCATE_LEFT -> part(whole, whole.length() - maxLength, whole.length());
            case TRUNCATE_RIGHT -> part(whole, 0, maxLength);
          };
    }
    boolean learns = cut != null && cut.supervisedTokens() > 0;
    return new Outcome(learns ? cut : null, whole.length());
  }

  private static TokenizedExample part(TokenizedExample whole, int start, int end) {
    return new TokenizedExample(
        whole.origin(),
        Arrays.copyOfRange(whole.inputIds(), start, end),
        Arrays.copyOfRange(whole.labels(), start, end));
  }

  private TokenizedExample label(Conversation conversation) throws RowFault {
    List<Message> messages = conversation.messages();
    String text = render(messages, false);
    Tokenizer.Offsets tokens = tokenizer.encodeWithOffsets(text);
    int[] labels = new int[tokens.ids().length];
    Arrays.fill(labels, TokenizedExample.IGNORED);
    for (int turn = 0; turn < messages.size(); turn++) {
      if (messages.get(turn).role().equals(Message.ASSISTANT)) {
        int start = boundary(render(messages.subList(0, turn), true), text, tokens, turn);
        boolean last = turn == messages.size() - 1;
        int end =
            last
                ? labels.length
                : boundary(render(messages.subList(0, turn + 1), false), text, tokens, turn);
        System.arraycopy(tokens.ids(), start, labels, start, Math.max(0, end - start));
      }
    }
    return new TokenizedExample(conversation.origin(), tokens.ids(), labels);
  }

  /**
   * The number of tokens that a beginning of the conversation takes.
   *
   * <p>Where the tokenizer joins the beginning's end with what follows (a newline of the template
   * with one of the answer), its ids are no prefix of the whole's; then the first token that begins
   * behind it counts, and the joined one belongs to the beginning.
   */
  private int boundary(String beginning, String text, Tokenizer.Offsets tokens, int turn)
      throws RowFault {
    if (!text.startsWith(beginning)) {
      throw new RowFault(
          "the chat template writes turn "
              + (turn + 1)
              + " differently once more turns follow, so"
              + " its tokens can't be told from the others'; split the row into conversations that"
              + " end with their only assistant turn, or set model.template to a built-in one");
    }
    int[] prefix = tokenizer.encode(beginning);
    if (prefix.length <= tokens.ids().length
        && Arrays.equals(prefix, 0, prefix.length, tokens.ids(), 0, prefix.length)) {
      return prefix.length;
    }
    int codePoints = beginning.codePointCount(0, beginning.length());
    int t = 0;
    while (t < tokens.starts().length && tokens.starts()[t] < codePoints) {
      t++;
    }
    return t;
  }

  private String render(List<Message> messages, boolean addGenerationPrompt) throws RowFault {
    try {
      return template.render(messages, addGenerationPrompt);
    } catch (JinjaException e) {
      throw new RowFault("the chat template refuses the conversation: " + e.getMessage());
    }
  }
}
