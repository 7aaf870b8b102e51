package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.ChatTemplateName;
import dev.finetune.api.v1alpha1.Supervision;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.picture.Tiling;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** How conversations become a model's tokens. Safe for many threads. */
public abstract sealed class ConversationForm permits RenderedForm, PieceForm {
  private final ChatTemplate template;
  private final Tokenizer tokenizer;

  ConversationForm(ChatTemplate template, Tokenizer tokenizer) {
    this.template = template;
    this.tokenizer = tokenizer;
  }

  /**
   * The form of a recipe.
   *
   * @param model the model folder
   * @param name the template's; Auto for the model's own
   * @param clock the date for templates that write it
   * @param tokenizer the model's tokenizer
   * @param tiling how the model takes pictures; empty where it takes text alone
   * @param systemPrompt the recipe's; an empty one leaves the template's own out, where the model
   *     takes pictures
   * @throws TrainerException MODEL if the model has no template, one that can't be parsed, or no
   *     token for pictures
   */
  public static ConversationForm load(
      Path model,
      ChatTemplateName name,
      Clock clock,
      Tokenizer tokenizer,
      Optional<Tiling> tiling,
      String systemPrompt) {
    ChatTemplate template = ChatTemplate.load(model, name, clock);
    if (tiling.isPresent() && template.takesPictures()) {
      boolean bare = systemPrompt != null && systemPrompt.isEmpty();
      return new PieceForm(template, tokenizer, tiling.get().tokensPerTile(), bare);
    }
    return new RenderedForm(template, tokenizer);
  }

  /** What the form is written with. */
  final ChatTemplate template() {
    return template;
  }

  final Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * Tokenises a conversation.
   *
   * @param messages the turns, with a tag where each picture stands
   * @param pictures in their order
   * @param supervision which turns are learned that don't say so themselves
   * @throws RowFault if the form can't write it
   */
  abstract LabelledTokens tokenize(
      List<Message> messages, List<Picture> pictures, Supervision supervision) throws RowFault;

  /**
   * The token ids of a conversation up to where the assistant begins to speak.
   *
   * @param messages the turns, a user's last, with {@code <image>} where each picture stands
   * @param pictures in their order
   * @throws dev.finetune.trainer.data.jinja.JinjaException if the template refuses the conversation
   * @throws TrainerException USAGE if the form can't write pictures, or a turn has the token that
   *     stands for a picture's piece
   */
  public abstract int[] prompt(List<Message> messages, List<Picture> pictures);

  /** The ids that end a generation: the model's own, and the token by which a turn ends. */
  public final Set<Integer> stopIds() {
    return tokenizer.stopIds(template);
  }

  /** The ids of which a row teaches one, so that the tuned model stops. */
  abstract Set<Integer> taughtStops();

  /** Whether a turn is learned. */
  static boolean learned(List<Message> messages, int turn, Supervision supervision) {
    Boolean own = messages.get(turn).loss();
    if (own != null) {
      return own;
    }
    boolean isAnswer = messages.get(turn).role().equals(Message.ASSISTANT);
    return switch (supervision) {
      case ALL -> true;
      case ANSWERS -> isAnswer;
      case LAST_ANSWER -> isAnswer && turn == messages.size() - 1;
    };
  }
}
