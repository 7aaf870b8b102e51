package dev.finetune.trainer.data;

import java.util.ArrayList;
import java.util.List;

/** How many rows are how long, in classes that double: 1 to 16 tokens, 17 to 32, 33 to 64. */
public final class LengthHistogram {
  private static final int SHORTEST_CLASS = 16;

  private final List<Integer> counts = new ArrayList<>();

  /**
   * A class of lengths.
   *
   * @param from tokens of its shortest rows
   * @param to tokens of its longest
   * @param rows how many rows are as long
   */
  public record Bar(int from, int to, int rows) {}

  void add(int length) {
    int bar = 0;
    while (length > SHORTEST_CLASS << bar) {
      bar++;
    }
    while (counts.size() <= bar) {
      counts.add(0);
    }
    counts.set(bar, counts.get(bar) + 1);
  }

  /** The classes from the first that has a row to the last. */
  public List<Bar> bars() {
    List<Bar> bars = new ArrayList<>();
    for (int bar = 0; bar < counts.size(); bar++) {
      if (!bars.isEmpty() || counts.get(bar) > 0) {
        int from = bar == 0 ? 1 : (SHORTEST_CLASS << (bar - 1)) + 1;
        bars.add(new Bar(from, SHORTEST_CLASS << bar, counts.get(bar)));
      }
    }
    return bars;
  }
}
