package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.train.StopSignal;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;

/**
 * Lets SIGTERM and SIGINT end the program in order. A shutdown hook asks the run to stop and waits
 * for it: libtorch crashes the JVM when its exit handlers run under a native call, so the JVM must
 * not go down before the running one has returned.
 */
final class GracefulStop {
  private final StopSignal signal = new StopSignal();
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile int code;
  private volatile Thread waiting;

  /** Installs the hook. */
  static GracefulStop install() {
    GracefulStop stop = new GracefulStop();
    Runtime.getRuntime().addShutdownHook(new Thread(stop::onShutdown, "graceful-stop"));
    return stop;
  }

  StopSignal signal() {
    return signal;
  }

  /**
   * Stops between two phases of a program that has nothing to save yet.
   *
   * @throws TrainerException TRY_AGAIN if the program was asked to stop
   */
  void check() {
    if (signal.requested()) {
      throw new TrainerException(
          TrainerExit.TRY_AGAIN,
          "stopped by a signal before there was anything to save; run again");
    }
  }

  /**
   * Does something that waits for others and calls nothing native meanwhile: a signal interrupts
   * it.
   */
  <T> T interruptible(Supplier<T> wait) {
    waiting = Thread.currentThread();
    try {
      check();
      return wait.get();
    } finally {
      waiting = null;
      // One that came too late is told by the signal.
      var unused = Thread.interrupted();
    }
  }

  /** Ends the JVM with a code, after a signal or without one. Native calls have returned. */
  void exit(int exitCode) {
    code = exitCode;
    ended.countDown();
    System.exit(exitCode);
  }

  private void onShutdown() {
    signal.request();
    Thread interrupted = waiting;
    if (interrupted != null) {
      interrupted.interrupt();
    }
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // After a signal the JVM's own code would be 143, and the operator decides by ours. Halting
    // also leaves out libtorch's exit handlers.
    Runtime.getRuntime().halt(code);
  }
}
