package dev.finetune.trainer.data;

/**
 * A turn of a conversation.
 *
 * @param role {@link #SYSTEM}, {@link #USER} or {@link #ASSISTANT}
 * @param content what was said
 * @param loss whether the turn is learned; null: as the data set's supervision has it
 */
public record Message(String role, String content, Boolean loss) {
  public static final String SYSTEM = "system";
  public static final String USER = "user";
  public static final String ASSISTANT = "assistant";

  /** A turn that doesn't say itself whether it is learned. */
  public Message(String role, String content) {
    this(role, content, null);
  }
}
