package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import java.util.Optional;

/**
 * How one of several ranks ended.
 *
 * @param rank its number among all
 * @param exitCode 128 and the signal's number where a signal ended it
 * @param killedByUs whether it went on after the run was over
 * @param killedForMemory whether the kernel killed a process of this container for want of memory
 * @param lastWords what it wrote; empty where it had no time to
 */
record RankEnd(
    int rank,
    int exitCode,
    boolean killedByUs,
    boolean killedForMemory,
    Optional<TerminationMessage> lastWords) {
  private static final int SIGNALS = 128;
  private static final int SIGKILL = 9;

  boolean failed() {
    return exitCode != 0;
  }

  /**
   * The least of several is the cause of the others: a rank that failed by itself, then one that
   * saw another hang, then those that saw one go or were asked to end.
   */
  int order() {
    if (killedByUs) {
      return 3;
    }
    if (exitCode == TrainerExit.TRY_AGAIN.code()) {
      return 2;
    }
    return exitCode == TrainerExit.RANK_LOST.code() ? 1 : 0;
  }

  Progress progress() {
    return lastWords.map(TerminationMessage::progress).orElse(Progress.NONE);
  }

  TerminationMessage done(Progress progress) {
    return new TerminationMessage(
        TrainerExit.DONE, lastWords.map(TerminationMessage::message).orElse(null), null, progress);
  }

  /** The last words of a run that this end was the cause of. */
  TerminationMessage message(Progress progress, String host) {
    if (lastWords.isPresent()) {
      TerminationMessage own = lastWords.get();
      // Of a lost rank, of a stop, and as rank 0 it speaks for all of them.
      boolean speaksForAll = rank == 0 || own.rank() != null || own.exit() == TrainerExit.TRY_AGAIN;
      String message = speaksForAll ? own.message() : named(host) + ": " + own.message();
      Integer failed = own.rank() == null ? Integer.valueOf(rank) : own.rank();
      return new TerminationMessage(own.exit(), message, own.log(), failed, progress);
    }
    boolean memory = killedForMemory && exitCode == SIGNALS + SIGKILL;
    return new TerminationMessage(
        memory ? TrainerExit.OUT_OF_MEMORY : TrainerExit.RANK_LOST,
        named(host) + " " + how(memory),
        null,
        rank,
        progress);
  }

  private String how(boolean memory) {
    if (memory) {
      return "was killed by the kernel: the container needed more than its memory limit; raise"
          + " spec.resources.memory";
    }
    return exitCode > SIGNALS
        ? "was ended by signal " + (exitCode - SIGNALS)
        : "ended with exit code " + exitCode + " and without a word";
  }

  private String named(String host) {
    return "rank " + rank + " on " + host;
  }
}
