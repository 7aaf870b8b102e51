package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.util.List;

/**
 * A row of a data file as a prompt.
 *
 * @param origin where it came from, {@code file:line}
 * @param prompt the turns before the last answer, with {@code <image>} where a picture stands
 * @param label the last answer
 * @param pictures the prompt's, in their order
 */
public record PromptRow(String origin, List<Message> prompt, String label, List<Picture> pictures) {
  public PromptRow {
    prompt = List.copyOf(prompt);
    pictures = List.copyOf(pictures);
  }
}
