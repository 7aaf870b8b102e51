package dev.finetune.trainer.distributed;

import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Ranks as threads of this JVM, each with a group of its own. */
public final class RankThreads {
  static final Duration PATIENCE = Duration.ofMinutes(2);

  /** How long lost ranks are waited for: more than a loaded machine lets a live one wait. */
  private static final Duration CENSUS = Duration.ofSeconds(5);

  private RankThreads() {}

  /** What a rank does. */
  @FunctionalInterface
  public interface Task<T> {
    T run(ProcessGroup group) throws Exception;
  }

  /** What each rank of a group returns, in their order. */
  public static <T> List<T> run(int size, Task<T> task) throws IOException {
    int port = freePort();
    List<CompletableFuture<T>> results = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      results.add(start(at(port, rank, size), task));
    }
    return results.stream().map(RankThreads::result).toList();
  }

  /** Joins and runs on a thread of its own. */
  static <T> CompletableFuture<T> start(Rendezvous rendezvous, Task<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try (ProcessGroup group = C10dGroup.join(rendezvous, line -> {}, CENSUS)) {
                result.complete(task.run(group));
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            },
            "rank-" + rendezvous.rank());
    thread.setDaemon(true);
    thread.start();
    return result;
  }

  static <T> T result(CompletableFuture<T> started) {
    try {
      return started.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  static Rendezvous at(int port, int rank, int size) {
    return at(port, rank, size, PATIENCE, PATIENCE);
  }

  static Rendezvous at(
      int port, int rank, int size, Duration startTimeout, Duration collectiveTimeout) {
    return new Rendezvous("127.0.0.1", port, rank, size, startTimeout, collectiveTimeout, "cpu");
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
