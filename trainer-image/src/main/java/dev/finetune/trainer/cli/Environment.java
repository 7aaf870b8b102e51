package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.trainer.checkpoint.RunToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What {@link TrainerEnvironment} says about the surroundings.
 *
 * @param volumes folder with a folder for each claim
 * @param listen HOST:PORT where to serve progress
 * @param terminationMessageFile where the last words go
 * @param token what this process writes in its destination's name
 * @param host the pod's or the machine's name, which only people read
 */
record Environment(
    Path volumes,
    Optional<String> listen,
    Optional<Path> terminationMessageFile,
    RunToken token,
    String host) {

  private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

  static Environment of(Map<String, String> variables) {
    return new Environment(
        Path.of(
            variables.getOrDefault(TrainerEnvironment.VOLUMES, TrainerEnvironment.VOLUMES_FOLDER)),
        Optional.ofNullable(variables.get(TrainerEnvironment.LISTEN)),
        Optional.ofNullable(variables.get(TrainerEnvironment.TERMINATION_MESSAGE_FILE))
            .map(Path::of),
        token(variables),
        hostName());
  }

  private static RunToken token(Map<String, String> variables) {
    String job = variables.get(TrainerEnvironment.JOB_UID);
    String attempt = variables.get(TrainerEnvironment.ATTEMPT);
    return job == null || attempt == null
        ? RunToken.of(hostName())
        : RunToken.of(job, Integer.parseInt(attempt), hostName());
  }

  /** No name service is asked. */
  private static String hostName() {
    try {
      return Files.readString(HOST_NAME).strip();
    } catch (IOException e) {
      return "an unnamed host";
    }
  }
}
