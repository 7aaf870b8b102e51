package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.model.PictureInput;
import dev.finetune.trainer.picture.Picture;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A conversation as InternVL's models and ms-swift's internvl2 templates have it: in pieces, each
 * tokenised on its own, so that no token joins what is learned with what isn't. Neighbours of which
 * both are learned, or both aren't, are one piece. In front stands bos_token, where the tokenizer
 * puts it in front of a text.
 *
 * <p>A picture is {@code <img>}, as many {@code <IMG_CONTEXT>} as its tiles have tokens, {@code
 * </img>} and a newline. None of it is ever learned.
 */
final class PieceForm extends ConversationForm {
  private static final String PICTURE_START = "<img>";
  private static final String PICTURE_END = "</img>\n";

  private final int tokensPerTile;
  private final boolean bare;
  private final int pictureToken;

  /**
   * @param template one of InternVL's
   * @param tokenizer the model's tokenizer
   * @param tokensPerTile positions that a tile of a picture takes
   * @param bare whether the template's own system turn is left out
   * @throws TrainerException MODEL if the tokenizer has no token for a picture's piece
   */
  PieceForm(ChatTemplate template, Tokenizer tokenizer, int tokensPerTile, boolean bare) {
    super(template, tokenizer);
    this.tokensPerTile = tokensPerTile;
    this.bare = bare;
    int[] ids = tokenizer.encode(PictureInput.TOKEN);
    if (ids.length != 1) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the model takes pictures, and its tokenizer.json doesn't hold "
              + PictureInput.TOKEN
              + " as one token; take the tokenizer that the model was published with");
    }
    this.pictureToken = ids[0];
  }

  @Override
  LabelledTokens tokenize(List<Message> messages, List<Picture> pictures, Supervision supervision)
      throws RowFault {
    Pieces pieces = new Pieces(pictures);
    addTurns(withSystem(messages), supervision, pieces);
    return pieces.tokens();
  }

  @Override
  public int[] prompt(List<Message> messages, List<Picture> pictures) {
    Pieces pieces = new Pieces(pictures);
    try {
      List<Message> turns = withSystem(messages);
      String text = addTurns(turns, Supervision.ANSWERS, pieces);
      pieces.text(template().render(turns, true).substring(text.length()), false);
      return pieces.tokens().ids();
    } catch (RowFault e) {
      throw new TrainerException(TrainerExit.USAGE, e.getMessage(), e);
    }
  }

  @Override
  Set<Integer> taughtStops() {
    return stopIds();
  }

  /** The fault of a row that has the token of a picture's piece in its text. */
  static RowFault pictureTokenInText() {
    return new RowFault(
        "the text has "
            + PictureInput.TOKEN
            + ", which stands for a piece of a picture; remove it, or write "
            + PictureTags.TAG
            + " where a picture is to stand");
  }

  /** The templates write no system turn for an empty one, and their own where there is none. */
  private List<Message> withSystem(List<Message> messages) {
    if (!bare || messages.get(0).role().equals(Message.SYSTEM)) {
      return messages;
    }
    List<Message> all = new ArrayList<>(messages);
    all.add(0, new Message(Message.SYSTEM, ""));
    return all;
  }

  /** Adds the turns and returns their text. */
  private String addTurns(List<Message> messages, Supervision supervision, Pieces pieces)
      throws RowFault {
    String before = "";
    for (int turn = 0; turn < messages.size(); turn++) {
      String text = template().render(messages.subList(0, turn + 1), false);
      boolean learned = learned(messages, turn, supervision);
      switch (messages.get(turn).role()) {
        case Message.ASSISTANT -> {
          String prompt = template().render(messages.subList(0, turn), true);
          pieces.text(prompt.substring(before.length()), supervision == Supervision.ALL);
          pieces.text(text.substring(prompt.length()), learned);
        }
        case Message.USER -> pieces.tagged(text.substring(before.length()), learned);
        default -> pieces.text(text.substring(before.length()), learned);
      }
      before = text;
    }
    return before;
  }

  /** What was said so far, in pieces. */
  private final class Pieces {
    private final List<Picture> pictures;
    private final StringBuilder text = new StringBuilder();
    private final TokenBuffer tokens = new TokenBuffer();
    private boolean learned;
    private int next;

    Pieces(List<Picture> pictures) {
      this.pictures = pictures;
      int[] front = tokenizer().textPrefix();
      tokenizer().bosId().ifPresent(bos -> tokens.addWhere(front, bos));
    }

    /** Adds a text. */
    void text(String more, boolean isLearned) throws RowFault {
      if (isLearned != learned) {
        end();
        learned = isLearned;
      }
      text.append(more);
    }

    /** Adds a text in which tags stand for pictures, where the conversation has any. */
    void tagged(String more, boolean isLearned) throws RowFault {
      if (pictures.isEmpty()) {
        text(more, isLearned);
        return;
      }
      String[] parts = more.split(PictureTags.TAG, -1);
      text(parts[0], isLearned);
      for (int i = 1; i < parts.length; i++) {
        if (next == pictures.size()) {
          throw new RowFault("more " + PictureTags.TAG + " tags than pictures, " + next);
        }
        text(PICTURE_START, false);
        end();
        Picture picture = pictures.get(next++);
        tokens.addPicture(
            picture, pictureToken, Math.multiplyExact(picture.tiles(), tokensPerTile));
        text(PICTURE_END, false);
        text(parts[i], isLearned);
      }
    }

    private void end() throws RowFault {
      int[] ids = text.isEmpty() ? new int[0] : tokenizer().encode(text.toString());
      text.setLength(0);
      for (int id : ids) {
        if (id == pictureToken) {
          throw pictureTokenInText();
        }
        tokens.add(id, learned);
      }
    }

    LabelledTokens tokens() throws RowFault {
      end();
      if (next < pictures.size()) {
        throw new RowFault("fewer " + PictureTags.TAG + " tags than pictures, " + pictures.size());
      }
      return tokens.tokens();
    }
  }
}
