package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.report.TerminationMessageFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Tells how the program ended, to the user and to Kubernetes.
 *
 * @param err where messages go
 * @param debug whether every message comes with its trace
 * @param worker whether a launcher reads the file and tells the user
 * @param file the container's termination message, or the launcher's file
 */
record LastWords(PrintWriter err, boolean debug, boolean worker, Optional<Path> file) {
  /** Those of a program that nobody but the user started. */
  LastWords(PrintWriter err, boolean debug, Optional<Path> file) {
    this(err, debug, false, file);
  }

  /**
   * Those of one of several ranks: of all that they say, the launcher tells the user what counts.
   */
  static LastWords ofWorker(PrintWriter err, boolean debug, Optional<Path> file) {
    return new LastWords(err, debug, true, file);
  }

  /** Says them of a program that hasn't begun, and returns the exit code. */
  int say(ProgramEnd end) {
    return say(end, Progress.NONE, "");
  }

  /**
   * Says them.
   *
   * @param log the last lines of the log, which are told where the program failed
   * @return the exit code
   */
  int say(ProgramEnd end, Progress progress, String log) {
    if (worker) {
      end.trace(err, debug);
    } else {
      end.tell(err, debug);
    }
    String told = end.exit() == TrainerExit.DONE || log.isEmpty() ? null : log;
    write(new TerminationMessage(end.exit(), end.message(), told, end.lostRank(), progress));
    return end.exit().code();
  }

  /** Writes them for Kubernetes alone. */
  void write(TerminationMessage message) {
    if (file.isPresent()) {
      try {
        new TerminationMessageFile(file.get()).write(message);
      } catch (IOException e) {
        err.println("trainer: the termination message can't be written: " + FileErrors.describe(e));
      }
    }
    err.flush();
  }
}
