package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.checkpoint.Destination;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens destinations. */
final class Destinations {
  private Destinations() {}

  /**
   * Makes the destination's folder and tries to write there, so that hours of training don't end at
   * a folder that can't be written.
   *
   * @throws TrainerException OUTPUT if it can't be written
   */
  static Destination open(String location, Locations locations) {
    Path folder = locations.resolve(location);
    try {
      Files.createDirectories(folder);
      Path probe = Files.createTempFile(folder, ".writable", null);
      Files.write(probe, new byte[] {1});
      Files.delete(probe);
      return new Destination(folder, location);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "the destination %s can't be written: %s; give another one, or make it writable for user %s"
              .formatted(
                  locations.describe(location),
                  FileErrors.describe(e),
                  System.getProperty("user.name")),
          e);
    }
  }
}
