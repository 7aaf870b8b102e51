package dev.finetune.trainer.checkpoint;

import java.nio.file.Path;

/**
 * The folder that a run writes to.
 *
 * @param folder where it lies on this machine
 * @param location how the recipe names it, such as pvc://models/support-assistant
 */
public record Destination(Path folder, String location) {
  /** A file or folder in it, on this machine. */
  public Path resolve(String name) {
    return folder.resolve(name);
  }

  /** A file or folder in it, in the recipe's form. */
  public String locationOf(String name) {
    return location.endsWith("/") ? location + name : location + "/" + name;
  }
}
