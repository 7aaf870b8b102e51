package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Supervision;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Turns rows into tokens and labels of at most the recipe's length. Safe for many threads.
 *
 * <p>A text has the tokens that the tokenizer puts in front of one (such as bos_token), and
 * eos_token behind it; what it begins or ends with itself isn't put there again.
 */
final class RowTokenizer {
  private final Supplier<ChatTemplate> template;
  private final Tokenizer tokenizer;
  private final Supervision supervision;
  private final int maxLength;
  private final Overlong overlong;

  /** The tokens that end a generation. */
  private final BitSet stops = new BitSet();

  /**
   * @param template asked for only where a row is a conversation: a base model may have none
   * @param tokenizer the model's tokenizer
   * @param supervision what is learned of a conversation
   * @param maxLength most tokens of a row
   * @param overlong what becomes of a longer one
   */
  RowTokenizer(
      Supplier<ChatTemplate> template,
      Tokenizer tokenizer,
      Supervision supervision,
      int maxLength,
      Overlong overlong) {
    this.template = template;
    this.tokenizer = tokenizer;
    this.supervision = supervision;
    this.maxLength = maxLength;
    this.overlong = overlong;
    tokenizer.stopIds().forEach(stops::set);
  }

  /** What became of a row. */
  enum Fate {
    WHOLE,
    /** Cut, with the last learned token. */
    CUT,
    /** Cut, and the token that ends its last answer is gone. */
    CUT_WITHOUT_END,
    /** Left out for its length. */
    OVERLONG,
    /** Left out, as nothing of it is learned. */
    UNSUPERVISED
  }

  /**
   * A row's tokens.
   *
   * @param tokens what is trained on; null where the row is left out
   * @param length its tokens before any cut
   * @param fate what became of it
   * @param ends whether a token that ends a generation is learned
   * @param startsTwice whether it begins with two bos_token
   */
  record Outcome(LabelledTokens tokens, int length, Fate fate, boolean ends, boolean startsTwice) {}

  /**
   * Tokenises a row.
   *
   * @throws RowFault if the template refuses it, or doesn't write the turns one behind the other
   */
  Outcome tokenize(Content content) throws RowFault {
    LabelledTokens whole = labelled(content);
    if (whole.learned() == 0) {
      return new Outcome(null, whole.length(), Fate.UNSUPERVISED, false, false);
    }
    LabelledTokens kept = whole;
    Fate fate = Fate.WHOLE;
    if (whole.length() > maxLength) {
      if (overlong == Overlong.DROP) {
        return new Outcome(null, whole.length(), Fate.OVERLONG, false, false);
      }
      boolean right = overlong == Overlong.TRUNCATE_RIGHT;
      int start = right ? 0 : whole.length() - maxLength;
      kept = whole.part(start, start + maxLength);
      fate = right && whole.lastLearned() >= maxLength ? Fate.CUT_WITHOUT_END : Fate.CUT;
      if (kept.learned() == 0) {
        return new Outcome(null, whole.length(), Fate.OVERLONG, false, false);
      }
    }
    return new Outcome(kept, whole.length(), fate, ends(kept), startsTwice(kept));
  }

  private LabelledTokens labelled(Content content) throws RowFault {
    if (content instanceof Conversation conversation) {
      return new ConversationTokenizer(template.get(), tokenizer, supervision)
          .tokenize(conversation.messages());
    }
    if (content instanceof Continuation continuation) {
      TokenizedText text =
          new TokenizedText(continuation.prompt() + continuation.completion(), tokenizer);
      return framed(text.ids(), text.tokensOf(continuation.prompt()));
    }
    return framed(tokenizer.encode(((PlainText) content).text()), 0);
  }

  /** Puts the tokens in front of a text and behind it, and has all from a place on learned. */
  private LabelledTokens framed(int[] ids, int learnedFrom) {
    int[] front = tokenizer.textPrefix();
    if (startsWith(ids, front)) {
      front = new int[0];
    }
    int eos = tokenizer.textEnd();
    int[] end = ids.length > 0 && ids[ids.length - 1] == eos ? new int[0] : new int[] {eos};
    int[] all = concatenated(front, ids, end);
    LabelledTokens tokens = LabelledTokens.ignored(all);
    tokens.learn(learnedFrom == 0 ? 0 : front.length + learnedFrom, all.length, true);
    return tokens;
  }

  private static boolean startsWith(int[] ids, int[] front) {
    return ids.length >= front.length
        && Arrays.equals(ids, 0, front.length, front, 0, front.length);
  }

  private static int[] concatenated(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(IntStream::of).toArray();
  }

  private boolean ends(LabelledTokens tokens) {
    return Arrays.stream(tokens.labels()).anyMatch(label -> label >= 0 && stops.get(label));
  }

  private boolean startsTwice(LabelledTokens tokens) {
    int[] ids = tokens.ids();
    return ids.length > 1
        && ids[0] == ids[1]
        && tokenizer.bosId().filter(bos -> bos == ids[0]).isPresent();
  }
}
