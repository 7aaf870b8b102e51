package dev.finetune.trainer.cli;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.function.Function;

/** Prints a text token by token. A character may be several tokens: half of one is held back. */
final class StreamedText {
  /** What a decoder writes for bytes that aren't a whole character yet. */
  private static final char REPLACEMENT = '\uFFFD';

  private final Function<int[], String> decoder;
  private final PrintStream out;
  private int[] ids = {};
  private int printed;

  /**
   * Begins an empty text.
   *
   * @param decoder the text of ids
   * @param out where it is printed
   */
  StreamedText(Function<int[], String> decoder, PrintStream out) {
    this.decoder = decoder;
    this.out = out;
  }

  /** Prints what one more token adds. */
  void add(int token) {
    ids = Arrays.copyOf(ids, ids.length + 1);
    ids[ids.length - 1] = token;
    String text = decoder.apply(ids);
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == REPLACEMENT) {
      end--;
    }
    print(text, end);
  }

  /** Prints what was held back, and ends the line. */
  void end() {
    String text = decoder.apply(ids);
    print(text, text.length());
    out.println();
  }

  private void print(String text, int end) {
    if (end > printed) {
      out.print(text.substring(printed, end));
      out.flush();
      printed = end;
    }
  }
}
