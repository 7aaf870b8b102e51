package dev.finetune.trainer.data;

import java.util.List;

/**
 * A row of a data file as a prompt.
 *
 * @param origin where it came from, {@code file:line}
 * @param prompt the turns before the last answer
 * @param label the last answer
 */
public record PromptRow(String origin, List<Message> prompt, String label) {
  public PromptRow {
    prompt = List.copyOf(prompt);
  }
}
