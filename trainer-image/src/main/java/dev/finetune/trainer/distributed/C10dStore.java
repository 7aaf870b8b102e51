package dev.finetune.trainer.distributed;

import dev.finetune.trainer.distributed.RankLostException.Kind;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The ranks' common key-value store, c10d's TCPStore, which rank 0 hosts. c10d waits without end
 * for the answer of a host that hangs, so every call runs on a thread of the store's own and is
 * given up after a while.
 */
final class C10dStore implements AutoCloseable {
  private static final Duration CLOSING = Duration.ofSeconds(1);

  /** Rank 0 doesn't answer for the store any more. */
  static final class LostException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Kind kind;

    private LostException(Kind kind, Throwable cause) {
      super(
          kind == Kind.TIMEOUT
              ? "rank 0 keeps the ranks' common store, which doesn't answer"
              : "rank 0 kept the ranks' common store, whose connection was closed",
          cause);
      this.kind = kind;
    }

    Kind kind() {
      return kind;
    }
  }

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread made = new Thread(task, "c10d-store");
            made.setDaemon(true);
            return made;
          });
  private volatile boolean silent;
  private long handle;

  private C10dStore() {}

  /**
   * Connects to the store.
   *
   * @param host where it is
   * @param serves whether this rank hosts it
   * @param timeout for connecting, and for keys that c10d itself waits for
   * @throws LostException if that can't be done; its cause has c10d's words
   */
  static C10dStore open(String host, int port, boolean serves, Duration timeout) {
    C10dStore store = new C10dStore();
    boolean open = false;
    try {
      // c10d's own timeout isn't for a host that accepts and then says nothing.
      store.handle =
          store.ask(
              () -> C10dLibrary.openStore(host, port, serves, timeout.toMillis()),
              timeout.plus(CLOSING));
      open = true;
      return store;
    } finally {
      if (!open) {
        store.thread.shutdown();
      }
    }
  }

  long handle() {
    return handle;
  }

  void put(String key, byte[] value, Duration patience) {
    ask(
        () -> {
          C10dLibrary.put(handle, key, value);
          return true;
        },
        patience);
  }

  Optional<byte[]> get(String key, Duration patience) {
    return Optional.ofNullable(ask(() -> C10dLibrary.get(handle, key), patience));
  }

  /** Counts a key's callers, from 1. */
  long count(String key, Duration patience) {
    return ask(() -> C10dLibrary.add(handle, key, 1), patience);
  }

  private <T> T ask(Callable<T> call, Duration patience) {
    if (silent) {
      throw new LostException(Kind.TIMEOUT, null);
    }
    Future<T> answer = thread.submit(call);
    try {
      return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      silent = true;
      throw new LostException(Kind.TIMEOUT, e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof C10dException failure) {
        throw new LostException(failure.isTimeout() ? Kind.TIMEOUT : Kind.CLOSED, failure);
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the ranks' store was asked", e);
    }
  }

  /** A store that hangs is left as it is: freeing it would wait for its answer. */
  @Override
  public void close() {
    thread.shutdown();
    if (silent) {
      return;
    }
    Thread closing = new Thread(() -> C10dLibrary.closeStore(handle), "c10d-store-closing");
    closing.setDaemon(true);
    try {
      if (thread.awaitTermination(CLOSING.toMillis(), TimeUnit.MILLISECONDS)) {
        closing.start();
        closing.join(CLOSING.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
