package dev.finetune.trainer.distributed;

import java.util.Locale;

/** What c10d, Gloo or NCCL said when a call failed. Thrown by the native library too. */
public final class C10dException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  C10dException(String message) {
    super(message);
  }

  /** Whether something took too long, rather than that a connection broke. */
  boolean isTimeout() {
    String message = getMessage().toLowerCase(Locale.ROOT);
    return message.contains("timed out")
        || message.contains("timeout")
        || message.contains("time out");
  }

  /** Whether this rank's own device failed, which says nothing about the others. */
  boolean isOwnDevice() {
    return getMessage().contains("CUDA error") || getMessage().contains("out of memory");
  }
}
