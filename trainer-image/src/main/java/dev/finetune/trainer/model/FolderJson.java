package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The JSON files of a model folder that needn't be there. */
public final class FolderJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private FolderJson() {}

  /**
   * Reads a file.
   *
   * @return a missing node where there is no such file
   * @throws TrainerException with {@link TrainerExit#MODEL} if it isn't JSON
   */
  public static JsonNode read(Path file) {
    if (!Files.exists(file)) {
      return JSON.missingNode();
    }
    try {
      return JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  static TrainerException unreadable(Path file, IOException e) {
    String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("").strip();
    return new TrainerException(
        TrainerExit.MODEL, file + " can't be read: " + message + "; download it again", e);
  }
}
