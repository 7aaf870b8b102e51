package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.DatasetFormat;
import dev.finetune.api.v1alpha1.DatasetSource;
import dev.finetune.api.v1alpha1.InvalidRowPolicy;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The rows of data files as prompts, and what became of them: a row that can't be read or answered
 * is counted and named, never passed over.
 */
public final class PromptRows {
  private static final long NO_SAMPLE_SEED = 0;

  private final Faults faults = new Faults(InvalidRowPolicy.FAIL);
  private final SourceReader reader;
  private final RowPictures pictures;

  /**
   * @param systemPrompt system turn of rows that have none; null for none
   * @param pictures opens the rows' pictures
   * @param files where a pvc:// or file:// source lies on this machine
   */
  public PromptRows(String systemPrompt, RowPictures pictures, Function<String, Path> files) {
    this.reader =
        new SourceReader(
            systemPrompt, NO_SAMPLE_SEED, new PictureFolder(/* folder= */ null, files));
    this.pictures = pictures;
  }

  /**
   * The rows of a file that can be read, in its order.
   *
   * @param source the file as messages name it
   * @param file where it lies
   */
  public List<PromptRow> read(String source, Path file) {
    List<PromptRow> prompts = new ArrayList<>();
    DatasetSource whole = new DatasetSource(source, DatasetFormat.AUTO, null, null, null);
    reader.read(
        whole,
        file,
        0,
        new SourceReader.Taker() {
          @Override
          public void row(SourceRow row) {
            if (row.content() instanceof Conversation conversation) {
              try {
                prompts.add(withoutAnswer(row.origin(), pictures.open(conversation)));
              } catch (RowFault e) {
                faults.addRow(row.origin(), e.getMessage());
              }
            } else {
              faults.addRow(row.origin(), "is a text without turns; there is nothing to answer");
            }
          }

          @Override
          public void fault(String origin, String message) {
            faults.addRow(origin, message);
          }

          @Override
          public void broken(String origin, String message) {
            faults.addFile(origin, message);
          }
        });
    return prompts;
  }

  private static PromptRow withoutAnswer(String origin, RowPictures.Opened row) {
    List<Message> messages = row.messages();
    int last = messages.size() - 1;
    return new PromptRow(
        origin, messages.subList(0, last), messages.get(last).content(), row.pictures());
  }

  /** Notes a row that could not be answered. */
  public void failed(PromptRow row, String why) {
    faults.addRow(row.origin(), why);
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
