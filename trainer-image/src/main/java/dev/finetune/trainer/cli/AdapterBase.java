package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The base model that an adapter names. */
final class AdapterBase {
  private static final String CONFIG = "adapter_config.json";

  private AdapterBase() {}

  /** Whether a folder is an adapter, and no complete model. */
  static boolean isAdapter(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG));
  }

  /**
   * The base model's folder.
   *
   * @throws TrainerException USAGE if the adapter names none, or one that isn't on this machine
   */
  static Path of(Path adapter) {
    String name = "";
    try {
      name =
          new ObjectMapper()
              .readTree(Files.readAllBytes(adapter.resolve(CONFIG)))
              .path("base_model_name_or_path")
              .asText();
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "%s can't be read: %s; name the folder of an adapter"
              .formatted(adapter.resolve(CONFIG), FileErrors.describe(e)),
          e);
    }
    if (name.isEmpty() || !Files.isDirectory(Path.of(name))) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "the adapter %s names the base model '%s', which is no folder here; give it with --model"
              .formatted(adapter, name));
    }
    return Path.of(name);
  }
}
