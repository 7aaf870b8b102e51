package dev.finetune.trainer.distributed;

import java.time.Duration;
import java.util.function.Consumer;

/** Says what is being waited for: after a while, and then every half a minute. */
final class Reminder {
  /** Ranks that are started together need seconds for it, which is worth no line. */
  private static final long QUIET_NANOS = Duration.ofSeconds(5).toNanos();

  private static final long PERIOD_NANOS = Duration.ofSeconds(30).toNanos();

  private final Consumer<String> log;
  private long next = System.nanoTime() + QUIET_NANOS;

  Reminder(Consumer<String> log) {
    this.log = log;
  }

  void say(String line) {
    if (System.nanoTime() - next >= 0) {
      log.accept(line);
      next = System.nanoTime() + PERIOD_NANOS;
    }
  }
}
