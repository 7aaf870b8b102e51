package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.distributed.RankLostException;
import dev.finetune.trainer.engine.DeviceFault;
import dev.finetune.trainer.engine.DeviceMemoryException;
import java.io.PrintWriter;
import java.util.Optional;

/**
 * How the program ends.
 *
 * @param exit the exit code
 * @param message what happened and what to do about it
 * @param cause what was thrown; null when nothing was
 * @param lostRank the rank that is to blame, where another one than this
 */
record ProgramEnd(TrainerExit exit, String message, Throwable cause, Integer lostRank) {
  ProgramEnd(TrainerExit exit, String message, Throwable cause) {
    this(exit, message, cause, null);
  }

  static ProgramEnd done(String message) {
    return new ProgramEnd(TrainerExit.DONE, message, null);
  }

  /** What a command does. */
  interface Work {
    /** Does it and says so in a sentence. */
    String run() throws Exception;
  }

  /** Does a command's work; whatever happens, the exit code says it. */
  static ProgramEnd after(Work work) {
    try {
      return done(work.run());
    } catch (Throwable thrown) {
      return of(thrown);
    }
  }

  /** The end that a throwable means. */
  static ProgramEnd of(Throwable thrown) {
    if (thrown instanceof TrainerException known) {
      return new ProgramEnd(known.exit(), known.getMessage(), thrown);
    }
    if (thrown instanceof RankLostException lost) {
      Integer rank = lost.ranks().isEmpty() ? null : lost.ranks().get(0);
      return new ProgramEnd(of(lost.kind()), lost.getMessage(), thrown, rank);
    }
    if (thrown instanceof DeviceMemoryException) {
      return new ProgramEnd(TrainerExit.OUT_OF_MEMORY, memory(thrown), thrown);
    }
    if (thrown instanceof OutOfMemoryError) {
      return new ProgramEnd(TrainerExit.OUT_OF_MEMORY, heap(thrown), thrown);
    }
    Optional<String> device = DeviceFault.in(thrown);
    if (device.isPresent()) {
      return new ProgramEnd(TrainerExit.DEVICE, device(device.get()), thrown);
    }
    return new ProgramEnd(
        TrainerExit.INTERNAL,
        "a fault of the trainer's own, please report it with the trace: " + thrown,
        thrown);
  }

  /** A rank that died tells why itself, or its node is gone; one that hangs can't. */
  private static TrainerExit of(RankLostException.Kind kind) {
    return kind == RankLostException.Kind.TIMEOUT ? TrainerExit.RANK_LOST : TrainerExit.TRY_AGAIN;
  }

  private static String memory(Throwable thrown) {
    return "out of memory: %s; use a smaller training.batchSize or maxLength, or a smaller model"
        .formatted(thrown.getMessage());
  }

  private static String device(String fault) {
    return "a GPU failed: %s; if it happens again on the same node, look at its nvidia-smi and dmesg (Xid)"
        .formatted(fault);
  }

  private static String heap(Throwable thrown) {
    return ("out of memory in the Java heap (%s, at most %d MiB); give the JVM more with JDK_JAVA_OPTIONS=-Xmx4g,"
            + " or fewer rows with dataset.train[].sample")
        .formatted(thrown.getMessage(), Runtime.getRuntime().maxMemory() >> 20);
  }

  /** Tells the user; the trace is only for whom it helps. */
  void tell(PrintWriter err, boolean debug) {
    if (exit == TrainerExit.DONE) {
      return;
    }
    err.println("trainer: " + message);
    trace(err, debug);
  }

  /** Prints what was thrown, where its trace helps. */
  void trace(PrintWriter err, boolean debug) {
    if (cause != null && (debug || exit == TrainerExit.INTERNAL)) {
      cause.printStackTrace(err);
    }
    err.flush();
  }
}
