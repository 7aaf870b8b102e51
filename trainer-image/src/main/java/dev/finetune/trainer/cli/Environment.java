package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What {@link TrainerEnvironment} says about the surroundings.
 *
 * @param volumes folder with a folder for each claim
 * @param listen HOST:PORT where to serve progress
 * @param terminationMessageFile where the last words go
 */
record Environment(Path volumes, Optional<String> listen, Optional<Path> terminationMessageFile) {

  static Environment of(Map<String, String> variables) {
    return new Environment(
        Path.of(
            variables.getOrDefault(TrainerEnvironment.VOLUMES, TrainerEnvironment.VOLUMES_FOLDER)),
        Optional.ofNullable(variables.get(TrainerEnvironment.LISTEN)),
        Optional.ofNullable(variables.get(TrainerEnvironment.TERMINATION_MESSAGE_FILE))
            .map(Path::of));
  }
}
