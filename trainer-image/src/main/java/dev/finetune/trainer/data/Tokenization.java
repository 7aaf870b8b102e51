package dev.finetune.trainer.data;

import java.util.ArrayList;
import java.util.List;

/**
 * Tokenises rows while they are read: some thousand at a time over all processors, then in their
 * order into a store. No more text than that is ever in memory.
 */
final class Tokenization implements SourceReader.Taker, AutoCloseable {
  private static final int ROWS_AT_A_TIME = 2048;
  private static final int CHARACTERS_AT_A_TIME = 1 << 20;

  private final RowTokenizer tokenizer;
  private final Faults faults;
  private final TokenStore store;
  private final RowCounts counts = new RowCounts();
  private final LengthHistogram lengths;
  private final int[] keptOfSource;
  private final List<Item> waiting = new ArrayList<>();
  private int characters;

  /**
   * @param tokenizer what each row is tokenised with
   * @param faults takes what is wrong with rows, in their order
   * @param lengths takes every row's length before any cut
   * @param store takes the rows' tokens
   * @param sources number of the sources
   */
  Tokenization(
      RowTokenizer tokenizer,
      Faults faults,
      LengthHistogram lengths,
      TokenStore store,
      int sources) {
    this.tokenizer = tokenizer;
    this.faults = faults;
    this.lengths = lengths;
    this.store = store;
    this.keptOfSource = new int[sources];
  }

  /** A row, or a fault in a row's place. */
  private record Item(SourceRow row, Fault fault) {}

  private record Fault(String origin, String message) {}

  /** A row's outcome or what is wrong with it. */
  private record Attempt(RowTokenizer.Outcome outcome, String fault) {}

  @Override
  public void row(SourceRow row) {
    waiting.add(new Item(row, null));
    characters += row.content().size();
    if (waiting.size() >= ROWS_AT_A_TIME || characters >= CHARACTERS_AT_A_TIME) {
      flush();
    }
  }

  @Override
  public void fault(String origin, String message) {
    waiting.add(new Item(null, new Fault(origin, message)));
    if (waiting.size() >= ROWS_AT_A_TIME) {
      flush();
    }
  }

  @Override
  public void broken(String origin, String message) {
    flush();
    faults.addFile(origin, message);
  }

  private void flush() {
    List<Attempt> attempts = waiting.parallelStream().map(this::attempt).toList();
    for (int i = 0; i < attempts.size(); i++) {
      Item item = waiting.get(i);
      if (item.fault != null) {
        faults.addRow(item.fault.origin, item.fault.message);
      } else if (attempts.get(i).fault != null) {
        faults.addRow(item.row.origin(), attempts.get(i).fault);
      } else {
        keep(item.row, attempts.get(i).outcome);
      }
    }
    waiting.clear();
    characters = 0;
  }

  private Attempt attempt(Item item) {
    try {
      return new Attempt(item.row == null ? null : tokenizer.tokenize(item.row.content()), null);
    } catch (RowFault e) {
      return new Attempt(null, e.getMessage());
    }
  }

  private void keep(SourceRow row, RowTokenizer.Outcome outcome) {
    counts.add(outcome);
    lengths.add(outcome.length());
    if (outcome.tokens() != null) {
      store.add(row, outcome.tokens());
      keptOfSource[row.source()]++;
    }
  }

  /** The rows that are left; called when all are read. */
  Examples examples() {
    flush();
    return store.examples();
  }

  /** What became of the rows. */
  RowCounts counts() {
    return counts;
  }

  /** Rows that are left of each source. */
  int[] keptOfSource() {
    return keptOfSource.clone();
  }

  @Override
  public void close() {
    store.close();
  }
}
