package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Picture;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import java.util.stream.IntStream;

/**
 * Tokenised rows in their order. Lengths are at hand; a row's tokens may lie in a file and are read
 * when it is asked for.
 */
public abstract class Examples extends AbstractList<TokenizedExample> implements RandomAccess {
  /** Tokens of a row. */
  public abstract int length(int row);

  /** Tokens of a row that the loss counts. */
  public abstract int supervisedTokens(int row);

  /** Pictures of a row, without its tokens. */
  public abstract List<Picture> pictures(int row);

  /** Rows that are in memory. */
  public static Examples of(List<TokenizedExample> rows) {
    return rows instanceof Examples examples ? examples : new InMemory(List.copyOf(rows));
  }

  /**
   * Some of the rows.
   *
   * @param rows their places, in the order that they are to have
   */
  public Examples select(int[] rows) {
    return new Selection(this, rows.clone());
  }

  /** The lengths of all rows. */
  int[] lengths() {
    return IntStream.range(0, size()).map(this::length).toArray();
  }

  /** Tokens of the longest row; 0 where there is none. */
  public int longest() {
    return Arrays.stream(lengths()).max().orElse(0);
  }

  private static final class InMemory extends Examples {
    private final List<TokenizedExample> rows;

    InMemory(List<TokenizedExample> rows) {
      this.rows = rows;
    }

    @Override
    public TokenizedExample get(int row) {
      return rows.get(row);
    }

    @Override
    public int size() {
      return rows.size();
    }

    @Override
    public int length(int row) {
      return rows.get(row).length();
    }

    @Override
    public int supervisedTokens(int row) {
      return rows.get(row).supervisedTokens();
    }

    @Override
    public List<Picture> pictures(int row) {
      return rows.get(row).pictures();
    }
  }

  private static final class Selection extends Examples {
    private final Examples all;
    private final int[] rows;

    Selection(Examples all, int[] rows) {
      this.all = all;
      this.rows = rows;
    }

    @Override
    public TokenizedExample get(int row) {
      return all.get(rows[row]);
    }

    @Override
    public int size() {
      return rows.length;
    }

    @Override
    public int length(int row) {
      return all.length(rows[row]);
    }

    @Override
    public int supervisedTokens(int row) {
      return all.supervisedTokens(rows[row]);
    }

    @Override
    public List<Picture> pictures(int row) {
      return all.pictures(rows[row]);
    }
  }
}
