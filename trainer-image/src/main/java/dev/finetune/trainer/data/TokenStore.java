package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes rows' tokens one after another and gives them back in any order: in memory up to a budget,
 * and beyond it in a {@link TokenFile}. What stays in memory of each row then is 24 bytes, and its
 * pictures.
 *
 * <p>A token takes four bytes with its label: its id where it is learned, and the id's complement,
 * which is negative, where it isn't.
 */
final class TokenStore implements AutoCloseable {
  private final long budget;
  private final List<String> files = new ArrayList<>();
  private final RowIndex index = new RowIndex();

  /** The pictures of rows that have any. */
  private final Map<Integer, List<Picture>> pictures = new HashMap<>();

  /** Each row's tokens while they are in memory. */
  private final List<int[]> inMemory = new ArrayList<>();

  /** Null while they are in memory. */
  private TokenFile file;

  private long tokens;

  /**
   * @param budget bytes of tokens that may be kept in memory
   */
  TokenStore(long budget) {
    this.budget = budget;
  }

  /** The budget of a process: an eighth of its heap, 256 MiB at most. */
  static long defaultBudget() {
    return Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 8);
  }

  /**
   * Adds a row.
   *
   * @throws dev.finetune.trainer.TrainerException OUTPUT if there is no room for the file
   */
  void add(SourceRow row, LabelledTokens labelled) {
    int[] packed = new int[labelled.length()];
    for (int t = 0; t < packed.length; t++) {
      boolean learned = labelled.labels()[t] != TokenizedExample.IGNORED;
      packed[t] = learned ? labelled.ids()[t] : ~labelled.ids()[t];
    }
    if (files.isEmpty() || !files.get(files.size() - 1).equals(row.file())) {
      files.add(row.file());
    }
    if (!labelled.placed().isEmpty()) {
      pictures.put(index.size(), labelled.pictures());
    }
    index.add(tokens, packed.length, labelled.learned(), files.size() - 1, row.line());
    tokens += packed.length;
    if (file == null && tokens * Integer.BYTES > budget) {
      file = TokenFile.create();
      inMemory.forEach(file::write);
      inMemory.clear();
    }
    if (file == null) {
      inMemory.add(packed);
    } else {
      file.write(packed);
    }
  }

  /** The rows; none can be added any more. */
  Examples examples() {
    if (file != null) {
      file.finish(index.longest());
    }
    return new Stored();
  }

  @Override
  public void close() {
    if (file != null) {
      file.close();
    }
  }

  private final class Stored extends Examples {
    @Override
    public TokenizedExample get(int row) {
      int length = index.length(row);
      IntBuffer packed =
          file == null ? IntBuffer.wrap(inMemory.get(row)) : file.read(index.start(row), length);
      int[] ids = new int[length];
      int[] labels = new int[length];
      for (int t = 0; t < length; t++) {
        int token = packed.get(t);
        ids[t] = token < 0 ? ~token : token;
        labels[t] = token < 0 ? TokenizedExample.IGNORED : token;
      }
      String origin = files.get(index.file(row)) + ":" + index.line(row);
      return new TokenizedExample(origin, ids, labels, pictures(row));
    }

    @Override
    public int size() {
      return index.size();
    }

    @Override
    public int length(int row) {
      return index.length(row);
    }

    @Override
    public int supervisedTokens(int row) {
      return index.supervised(row);
    }

    @Override
    public List<Picture> pictures(int row) {
      return pictures.getOrDefault(row, List.of());
    }
  }

  /** Where each row lies and where it came from, without an object for each. */
  private static final class RowIndex {
    private static final int FIELDS = 4;

    private long[] starts = new long[16];

    /** Length, supervised tokens, file and line of each row. */
    private int[] fields = new int[16 * FIELDS];

    private int size;

    void add(long start, int length, int supervised, int file, int line) {
      if (size == starts.length) {
        starts = Arrays.copyOf(starts, size + size / 2);
        fields = Arrays.copyOf(fields, starts.length * FIELDS);
      }
      starts[size] = start;
      int first = size * FIELDS;
      fields[first] = length;
      fields[first + 1] = supervised;
      fields[first + 2] = file;
      fields[first + 3] = line;
      size++;
    }

    int size() {
      return size;
    }

    long start(int row) {
      return starts[row];
    }

    int length(int row) {
      return fields[row * FIELDS];
    }

    int supervised(int row) {
      return fields[row * FIELDS + 1];
    }

    int file(int row) {
      return fields[row * FIELDS + 2];
    }

    int line(int row) {
      return fields[row * FIELDS + 3];
    }

    int longest() {
      int longest = 0;
      for (int row = 0; row < size; row++) {
        longest = Math.max(longest, length(row));
      }
      return longest;
    }
  }
}
