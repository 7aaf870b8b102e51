package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.Overlong;
import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.trainer.model.PictureInput;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Turns rows into tokens and labels of at most the recipe's length. Safe for many threads.
 *
 * <p>A text has the tokens that the tokenizer puts in front of one (such as bos_token), and
 * eos_token behind it; what it begins or ends with itself isn't put there again.
 */
final class RowTokenizer {
  private final Supplier<ConversationForm> form;
  private final Tokenizer tokenizer;
  private final RowPictures pictures;
  private final Supervision supervision;
  private final int maxLength;
  private final Overlong overlong;

  /** The token of a picture's piece; none where the model takes text alone. */
  private final int[] pictureToken;

  /**
   * @param form asked for only where a row is a conversation: a base model may have none
   * @param tokenizer the model's tokenizer
   * @param pictures opens the rows' pictures
   * @param supervision what is learned of a conversation
   * @param maxLength most tokens of a row
   * @param overlong what becomes of a longer one
   */
  RowTokenizer(
      Supplier<ConversationForm> form,
      Tokenizer tokenizer,
      RowPictures pictures,
      Supervision supervision,
      int maxLength,
      Overlong overlong) {
    this.form = form;
    this.tokenizer = tokenizer;
    this.pictures = pictures;
    this.supervision = supervision;
    this.maxLength = maxLength;
    this.overlong = overlong;
    this.pictureToken =
        pictures.tiling().isPresent() ? tokenizer.encode(PictureInput.TOKEN) : new int[0];
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
   * @param placed its pictures before any cut
   */
  record Outcome(
      LabelledTokens tokens,
      int length,
      Fate fate,
      boolean ends,
      boolean startsTwice,
      List<PlacedPicture> placed) {
    /** A row that is left out. */
    static Outcome without(LabelledTokens whole, Fate fate) {
      return new Outcome(null, whole.length(), fate, false, false, whole.placed());
    }
  }

  /**
   * Tokenises a row.
   *
   * @throws RowFault if the template refuses it, or doesn't write the turns one behind the other,
   *     or a picture can't be opened
   */
  Outcome tokenize(Content content) throws RowFault {
    LabelledTokens whole = labelled(content);
    checkPictureTokens(whole);
    if (whole.learned() == 0) {
      return Outcome.without(whole, Fate.UNSUPERVISED);
    }
    LabelledTokens kept = whole;
    Fate fate = Fate.WHOLE;
    if (whole.length() > maxLength) {
      if (overlong == Overlong.DROP) {
        return Outcome.without(whole, Fate.OVERLONG);
      }
      boolean right = overlong == Overlong.TRUNCATE_RIGHT;
      int start = right ? 0 : whole.length() - maxLength;
      if (!whole.hasPicturesWithin(start, start + maxLength)) {
        // Without all of a picture's tokens nothing can stand for the picture.
        return Outcome.without(whole, Fate.OVERLONG);
      }
      kept = whole.part(start, start + maxLength);
      fate = right && whole.lastLearned() >= maxLength ? Fate.CUT_WITHOUT_END : Fate.CUT;
      if (kept.learned() == 0) {
        return Outcome.without(whole, Fate.OVERLONG);
      }
    }
    return new Outcome(
        kept, whole.length(), fate, ends(kept, content), startsTwice(kept), whole.placed());
  }

  /** Each token of a picture's piece must be one of a picture. */
  private void checkPictureTokens(LabelledTokens whole) throws RowFault {
    int pieces = whole.placed().stream().mapToInt(PlacedPicture::tokens).sum();
    boolean isPiece = pictureToken.length == 1;
    if (isPiece
        && Arrays.stream(whole.ids()).filter(id -> id == pictureToken[0]).count() > pieces) {
      throw PieceForm.pictureTokenInText();
    }
  }

  private LabelledTokens labelled(Content content) throws RowFault {
    if (content instanceof Conversation conversation) {
      RowPictures.Opened opened = pictures.open(conversation);
      return form.get().tokenize(opened.messages(), opened.pictures(), supervision);
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

  private boolean ends(LabelledTokens tokens, Content content) {
    Set<Integer> stops =
        content instanceof Conversation ? form.get().taughtStops() : tokenizer.stopIds();
    return Arrays.stream(tokens.labels()).anyMatch(label -> label >= 0 && stops.contains(label));
  }

  private boolean startsTwice(LabelledTokens tokens) {
    int[] ids = tokens.ids();
    return ids.length > 1
        && ids[0] == ids[1]
        && tokenizer.bosId().filter(bos -> bos == ids[0]).isPresent();
  }
}
