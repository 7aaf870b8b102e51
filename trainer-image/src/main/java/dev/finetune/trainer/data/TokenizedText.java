package dev.finetune.trainer.data;

import java.util.Arrays;

/** A text with its tokens, which can tell how many of them a beginning of the text takes. */
final class TokenizedText {
  private final String text;
  private final Tokenizer tokenizer;
  private final Tokenizer.Offsets tokens;

  TokenizedText(String text, Tokenizer tokenizer) {
    this.text = text;
    this.tokenizer = tokenizer;
    this.tokens = tokenizer.encodeWithOffsets(text);
  }

  int[] ids() {
    return tokens.ids();
  }

  boolean beginsWith(String beginning) {
    return text.startsWith(beginning);
  }

  /**
   * The number of tokens that a beginning of the text takes.
   *
   * <p>Where the tokenizer joins the beginning's end with what follows (a newline of a template
   * with one of the answer), its ids are no prefix of the whole's; then the first token that begins
   * behind it counts, and the joined one belongs to the beginning.
   */
  int tokensOf(String beginning) {
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
}
