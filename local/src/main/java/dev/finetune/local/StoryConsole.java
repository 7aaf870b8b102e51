package dev.finetune.local;

import dev.finetune.api.v1alpha1.TrainingProgress;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/**
 * Where the story is told. A terminal gets a bar that is drawn over itself; anything else, such as
 * the log of a build, a line for every tenth of the way.
 */
final class StoryConsole {
  private static final int WIDTH = 24;
  private static final int TENTH = 10;
  private static final int SECONDS_PER_MINUTE = 60;

  /** Back to the line's beginning, and clear it (ECMA-48). */
  private static final String CLEAR = "\r\u001b[2K";

  private final PrintWriter out;
  private final boolean terminal;
  private final Instant start;
  private String bar = "";
  private int tenthsTold;

  StoryConsole(PrintWriter out, boolean terminal, Instant start) {
    this.out = out;
    this.terminal = terminal;
    this.start = start;
  }

  void line(String text) {
    out.println((bar.isEmpty() ? "" : CLEAR) + clock() + "  " + text);
    out.print(bar);
    out.flush();
  }

  void progress(String name, TrainingProgress training) {
    String text = describe(training);
    if (terminal) {
      bar = name + " " + text;
      out.print(CLEAR + bar);
      out.flush();
    } else if (training.progressPercentage() / TENTH > tenthsTold) {
      tenthsTold = training.progressPercentage() / TENTH;
      line(text);
    }
  }

  /** Ends the bar, so that what comes next has a line of its own. */
  void end() {
    if (!bar.isEmpty()) {
      out.println();
      bar = "";
    }
  }

  static String describe(TrainingProgress training) {
    int percentage = training.progressPercentage();
    int filled = WIDTH * percentage / 100;
    StringBuilder text = new StringBuilder();
    text.append('[').append("#".repeat(filled)).append(".".repeat(WIDTH - filled)).append(']');
    text.append(String.format(Locale.ROOT, " %3d%%", percentage));
    text.append(
        String.format(Locale.ROOT, "  epoch %.1f/%d", training.epoch(), training.totalEpochs()));
    if (training.loss() != null) {
      text.append(String.format(Locale.ROOT, "  loss %.3f", training.loss()));
    }
    if (training.tokensPerSecond() != null) {
      text.append(String.format(Locale.ROOT, "  %,.0f tokens/s", training.tokensPerSecond()));
    }
    if (training.remainingSeconds() != null) {
      text.append("  ").append(time(training.remainingSeconds())).append(" left");
    }
    return text.toString();
  }

  private String clock() {
    return time(Duration.between(start, Instant.now()).toSeconds());
  }

  private static String time(long seconds) {
    return String.format(
        Locale.ROOT, "%02d:%02d", seconds / SECONDS_PER_MINUTE, seconds % SECONDS_PER_MINUTE);
  }
}
