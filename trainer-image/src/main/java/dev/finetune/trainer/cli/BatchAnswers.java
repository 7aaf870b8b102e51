package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Message;
import dev.finetune.trainer.data.PromptRow;
import dev.finetune.trainer.data.PromptRows;
import dev.finetune.trainer.data.jinja.JinjaException;
import java.io.PrintStream;
import java.util.List;

/** Answers the rows of data files, and writes a JSON line for each as soon as it is answered. */
final class BatchAnswers {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Responder responder;
  private final PromptRows rows;
  private final PrintStream results;

  BatchAnswers(Responder responder, PromptRows rows, PrintStream results) {
    this.responder = responder;
    this.rows = rows;
    this.results = results;
  }

  /**
   * Answers.
   *
   * @return how many rows were answered
   * @throws TrainerException TRY_AGAIN if the program was asked to stop, OUTPUT if the results
   *     can't be written
   */
  int answer(List<PromptRow> prompts) {
    int answered = 0;
    for (PromptRow row : prompts) {
      try {
        write(row, responder.answer(row.prompt(), row.pictures()));
        answered++;
      } catch (JinjaException e) {
        rows.failed(row, "the chat template refuses the conversation: " + e.getMessage());
      } catch (TrainerException e) {
        // Longer than the model's positions, or than memory has room for; the others may not be.
        if (e.exit() != TrainerExit.USAGE && e.exit() != TrainerExit.OUT_OF_MEMORY) {
          throw e;
        }
        rows.failed(row, e.getMessage());
      }
    }
    return answered;
  }

  private void write(PromptRow row, String response) {
    ObjectNode line = JSON.createObjectNode().put("row", row.origin());
    ArrayNode prompt = line.putArray("prompt");
    for (Message turn : row.prompt()) {
      prompt.addObject().put("role", turn.role()).put("content", turn.content());
    }
    line.put("response", response).put("label", row.label());
    results.println(line);
    if (results.checkError()) {
      throw new TrainerException(
          TrainerExit.OUTPUT, "the answer to %s can't be written".formatted(row.origin()));
    }
  }
}
