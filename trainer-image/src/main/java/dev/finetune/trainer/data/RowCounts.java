package dev.finetune.trainer.data;

import dev.finetune.trainer.picture.Tiling;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What became of the rows, in numbers. */
final class RowCounts {
  private final Map<RowTokenizer.Fate, Integer> fates = new EnumMap<>(RowTokenizer.Fate.class);
  private int ending;
  private int startingTwice;
  private int longest;
  private int pictures;
  private int illustrated;
  private long tiles;
  private int mostPictureTokens;

  void add(RowTokenizer.Outcome outcome) {
    fates.merge(outcome.fate(), 1, Integer::sum);
    ending += outcome.ends() ? 1 : 0;
    startingTwice += outcome.startsTwice() ? 1 : 0;
    longest = Math.max(longest, outcome.length());
    add(outcome.placed());
  }

  private void add(List<PlacedPicture> placed) {
    pictures += placed.size();
    illustrated += placed.isEmpty() ? 0 : 1;
    tiles += placed.stream().mapToInt(each -> each.picture().tiles()).sum();
    mostPictureTokens =
        Math.max(mostPictureTokens, placed.stream().mapToInt(PlacedPicture::tokens).sum());
  }

  int of(RowTokenizer.Fate fate) {
    return fates.getOrDefault(fate, 0);
  }

  /** Rows that could be read. */
  int rows() {
    return fates.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Rows that were cut. */
  int cut() {
    return of(RowTokenizer.Fate.CUT) + of(RowTokenizer.Fate.CUT_WITHOUT_END);
  }

  /** Rows of which a token that ends a generation is learned. */
  int ending() {
    return ending;
  }

  /** Rows that begin with bos_token twice. */
  int startingTwice() {
    return startingTwice;
  }

  /** The pictures of all rows that could be read. */
  static PictureCounts pictures(List<RowCounts> all, Tiling tiling, int maxLength) {
    return new PictureCounts(
        all.stream().mapToInt(counts -> counts.pictures).sum(),
        all.stream().mapToInt(counts -> counts.illustrated).sum(),
        all.stream().mapToLong(counts -> counts.tiles).sum(),
        tiling.tokensPerTile(),
        tiling.mostTokens(),
        all.stream().mapToInt(counts -> counts.mostPictureTokens).max().orElse(0),
        maxLength);
  }

  /** Rows that have pictures. */
  int illustrated() {
    return illustrated;
  }

  /** Tokens of the longest row before any cut. */
  int longest() {
    return longest;
  }
}
