package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.TerminationMessage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/** The newest lines of a log, as many as {@link TerminationMessage#MAX_LOG_BYTES} bytes hold. */
public final class LastLines {
  private final Deque<String> lines = new ArrayDeque<>();
  private int bytes;

  /** Adds a line, without its end. The end of one that is too long alone is cut off. */
  public synchronized void add(String line) {
    String fitting = Utf8.cut(line, TerminationMessage.MAX_LOG_BYTES - 1);
    lines.addLast(fitting);
    bytes += length(fitting);
    while (bytes > TerminationMessage.MAX_LOG_BYTES) {
      bytes -= length(lines.removeFirst());
    }
  }

  /** The lines, the newest last; empty where there were none. */
  public synchronized String text() {
    return String.join("\n", lines);
  }

  private static int length(String line) {
    return line.getBytes(StandardCharsets.UTF_8).length + 1;
  }
}
