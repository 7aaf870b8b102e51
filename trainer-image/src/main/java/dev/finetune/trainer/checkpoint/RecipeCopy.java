package dev.finetune.trainer.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The destination's recipe.yaml: every setting as resolved, and what else the result depends on.
 */
public final class RecipeCopy {
  private static final String NAME = "recipe.yaml";
  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .build();

  private RecipeCopy() {}

  /**
   * Writes recipe.yaml, whole or not at all. It can be given to {@code trainer sft --recipe} again:
   * what isn't a setting stands in comments.
   *
   * @throws TrainerException OUTPUT if it can't be written
   */
  public static void write(Destination destination, ObjectNode recipe, RunIdentity run) {
    Path temporary = destination.resolve("." + NAME + ".writing");
    try {
      Files.writeString(temporary, comments(run) + YAML.writeValueAsString(recipe));
      Files.move(
          temporary,
          destination.resolve(NAME),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "%s can't be written: %s".formatted(destination.locationOf(NAME), e.getMessage()),
          e);
    }
  }

  private static String comments(RunIdentity run) {
    String versions =
        run.versions().entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(version -> version.getKey() + " " + version.getValue())
            .collect(Collectors.joining(", "));
    return "# versions: %s\n# data sha256: %s\n# model sha256: %s\n"
        .formatted(versions, run.dataSha256(), run.modelSha256());
  }
}
