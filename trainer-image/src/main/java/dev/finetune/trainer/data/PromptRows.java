package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.nio.file.Path;
import java.util.List;

/**
 * The rows of data files as prompts, and what became of them: a row that can't be read or answered
 * is counted and named, never passed over.
 */
public final class PromptRows {
  private static final long NO_SAMPLE_SEED = 0;

  private final Faults faults = new Faults();
  private final ConversationReader reader;

  /**
   * @param systemPrompt system turn of rows that have none; null for none
   */
  public PromptRows(String systemPrompt) {
    this.reader = new ConversationReader(systemPrompt, NO_SAMPLE_SEED, faults);
  }

  /**
   * The rows of a file that can be read, in its order.
   *
   * @param source the file as messages name it
   * @param file where it lies
   */
  public List<PromptRow> read(String source, Path file) {
    DatasetSource whole = new DatasetSource(source, DatasetFormat.AUTO, null, null, null);
    return reader.read(whole, file, 0).stream().map(PromptRows::withoutAnswer).toList();
  }

  private static PromptRow withoutAnswer(Conversation row) {
    List<Message> messages = row.messages();
    int last = messages.size() - 1;
    return new PromptRow(row.origin(), messages.subList(0, last), messages.get(last).content());
  }

  /** Notes a row that could not be answered. */
  public void failed(PromptRow row, String why) {
    faults.add(row.origin(), why);
  }

  /**
   * Ends the program if there was such a row.
   *
   * @throws TrainerException with {@link TrainerExit#DATA}, listing the first twenty
   */
  public void throwIfAnyFailed() {
    faults.throwIfAny();
  }
}
