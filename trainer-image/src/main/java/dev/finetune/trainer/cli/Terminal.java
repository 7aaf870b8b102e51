package dev.finetune.trainer.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a person watches. */
final class Terminal {
  /** The standard output of this process, on Linux. */
  private static final Path STDOUT = Path.of("/proc/self/fd/1");

  private Terminal() {}

  /**
   * Whether standard output is a terminal. System.console() doesn't say: it asks for the input too,
   * and from JDK 22 on it's there in any case.
   */
  static boolean isStandardOutput() {
    try {
      String device = Files.readSymbolicLink(STDOUT).toString();
      return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      // No /proc: assume that nobody watches.
      return false;
    }
  }
}
