package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerEnvironment;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What {@link TrainerEnvironment} says about the surroundings.
 *
 * @param volumes folder with a folder for each claim
 * @param listen where to serve progress
 * @param terminationMessageFile where the last words go
 */
record Environment(
    Path volumes, Optional<InetSocketAddress> listen, Optional<Path> terminationMessageFile) {

  static Environment of(Map<String, String> variables) {
    return new Environment(
        Path.of(
            variables.getOrDefault(TrainerEnvironment.VOLUMES, TrainerEnvironment.VOLUMES_FOLDER)),
        Optional.ofNullable(variables.get(TrainerEnvironment.LISTEN)).map(Environment::address),
        Optional.ofNullable(variables.get(TrainerEnvironment.TERMINATION_MESSAGE_FILE))
            .map(Path::of));
  }

  private static InetSocketAddress address(String hostAndPort) {
    int colon = hostAndPort.lastIndexOf(':');
    try {
      return new InetSocketAddress(
          hostAndPort.substring(0, Math.max(0, colon)),
          Integer.parseInt(hostAndPort.substring(colon + 1)));
    } catch (IllegalArgumentException e) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s is '%s'; it must be HOST:PORT, such as 0.0.0.0:8080"
              .formatted(TrainerEnvironment.LISTEN, hostAndPort),
          e);
    }
  }
}
