package dev.finetune.operator.config;

import java.util.concurrent.ThreadFactory;

/** Threads that don't keep the process from ending. */
public final class Daemons {
  private Daemons() {}

  /** A factory of such threads, all of one name. */
  public static ThreadFactory named(String name) {
    return task -> {
      var thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}
