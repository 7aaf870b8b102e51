package dev.finetune.trainer.data;

import java.util.stream.IntStream;

/**
 * An epoch's rows in their order, put together to sequences of one row or more.
 *
 * @param rows the rows' indices
 * @param ends for each sequence the place in rows behind its last row; the next one begins there
 */
public record Sequences(int[] rows, int[] ends) {
  /** Each row as a sequence of its own. */
  static Sequences single(int[] rows) {
    return new Sequences(rows, IntStream.rangeClosed(1, rows.length).toArray());
  }

  int count() {
    return ends.length;
  }

  /** The place in rows of a sequence's first row; of the first behind the last, their number. */
  int start(int sequence) {
    return sequence == 0 ? 0 : ends[sequence - 1];
  }
}
