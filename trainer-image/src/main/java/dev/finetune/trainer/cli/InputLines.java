package dev.finetune.trainer.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The lines of the standard input. They are read by a thread of their own, as a read can't be
 * interrupted, and a signal must not wait for a person to press return.
 */
final class InputLines {
  private final LinkedBlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
  private final GracefulStop stop;

  /** Begins to read. */
  InputLines(InputStream in, GracefulStop stop) {
    this.stop = stop;
    Thread reader = new Thread(() -> read(in), "input");
    reader.setDaemon(true);
    reader.start();
  }

  private void read(InputStream in) {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(Optional.of(line));
      }
    } catch (IOException e) {
      // A terminal that is gone ends the conversation as its end does.
    }
    lines.add(Optional.empty());
  }

  /** The next line, waited for; empty at the end, and when the program is asked to stop. */
  Optional<String> next() {
    return stop.signal().requested() ? Optional.empty() : stop.interruptible(this::take);
  }

  private Optional<String> take() {
    try {
      return lines.take();
    } catch (InterruptedException e) {
      return Optional.empty();
    }
  }
}
