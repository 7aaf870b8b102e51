package dev.finetune.trainer.data;

/**
 * A turn of a conversation.
 *
 * @param role {@link #SYSTEM}, {@link #USER} or {@link #ASSISTANT}
 * @param content what was said
 */
public record Message(String role, String content) {
  public static final String SYSTEM = "system";
  public static final String USER = "user";
  public static final String ASSISTANT = "assistant";
}
