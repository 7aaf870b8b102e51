package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpochOrderTest {
  private static final int MAX_LENGTH = 64;

  /** Rows of 2 to 60 tokens, whose tokens are their number. */
  private static Examples examples(int count) {
    SplitMix64 random = SplitMix64.fromState(7);
    List<TokenizedExample> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] ids = new int[2 + random.next(59)];
      Arrays.fill(ids, i);
      rows.add(new TokenizedExample("a:" + i, ids, ids));
    }
    return Examples.of(rows);
  }

  private static long tokens(Examples rows) {
    return IntStream.range(0, rows.size()).mapToLong(rows::length).sum();
  }

  private static List<String> origins(MicroBatches batches, int epoch) {
    List<String> origins = new ArrayList<>();
    for (int window = 0; window < batches.windowsPerEpoch(); window++) {
      batches
          .window(epoch, window)
          .batches()
          .forEach(batch -> batch.examples().forEach(row -> origins.add(row.origin())));
    }
    return origins;
  }

  private static MicroBatches batches(Examples rows, EpochOrder order, int batch, int steps) {
    return new MicroBatches(rows, order, batch, steps, 0, 1, 0);
  }

  private static List<String> all(int count) {
    return IntStream.range(0, count).mapToObj(i -> "a:" + i).toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void packingLosesNoRowAndTakesNoneTwice(boolean shuffle) {
    Examples rows = examples(333);
    PackedOrder order = new PackedOrder(new RowOrder(333, 42, shuffle), rows, MAX_LENGTH, 3);
    MicroBatches batches = batches(rows, order, 2, 4);

    for (int epoch = 0; epoch < 3; epoch++) {
      assertThat(origins(batches, epoch)).containsExactlyInAnyOrderElementsOf(all(333));
    }
  }

  @Test
  void packedSequencesFitAndAreAlmostFull() {
    Examples rows = examples(1000);
    PackedOrder order = new PackedOrder(new RowOrder(1000, 42, true), rows, MAX_LENGTH, 1);
    Sequences epoch = order.sequencesOf(0);
    long tokens = tokens(rows);

    for (int i = 0; i < epoch.count(); i++) {
      int length =
          Arrays.stream(epoch.rows(), epoch.start(i), epoch.start(i + 1)).map(rows::length).sum();
      assertThat(length).isBetween(1, MAX_LENGTH);
    }
    assertThat(epoch.count()).isEqualTo(order.sequences());
    assertThat(tokens).isGreaterThan((long) (0.98 * MAX_LENGTH * epoch.count()));
  }

  @Test
  void eachEpochIsPackedAnewIntoAsManySequences() {
    Examples rows = examples(500);
    PackedOrder order = new PackedOrder(new RowOrder(500, 42, true), rows, MAX_LENGTH, 2);

    Set<Set<Integer>> first = together(order.sequencesOf(0));
    Set<Set<Integer>> second = together(order.sequencesOf(1));

    assertThat(first).hasSameSizeAs(second).hasSize(order.sequences());
    Set<Set<Integer>> same = new HashSet<>(first);
    same.retainAll(second);
    assertThat(same.size()).isLessThan(first.size() / 2);
    assertThat(together(order.sequencesOf(0))).isEqualTo(first);
  }

  private static Set<Set<Integer>> together(Sequences epoch) {
    Set<Set<Integer>> together = new HashSet<>();
    for (int i = 0; i < epoch.count(); i++) {
      together.add(
          new HashSet<>(
              Arrays.stream(epoch.rows(), epoch.start(i), epoch.start(i + 1)).boxed().toList()));
    }
    return together;
  }

  @Test
  void packedMicroBatchesHoldTheSequencesOfEveryRankOnce() {
    Examples rows = examples(200);
    PackedOrder order = new PackedOrder(new RowOrder(200, 42, true), rows, MAX_LENGTH, 1);
    MicroBatches alone = batches(rows, order, 4, 1);
    List<String> together = new ArrayList<>();
    for (int window = 0; window < alone.windowsPerEpoch(); window++) {
      List<String> ofWindow = new ArrayList<>();
      for (int rank = 0; rank < 2; rank++) {
        MicroBatches.Window shared =
            new MicroBatches(rows, order, 2, 1, rank, 2, 0).window(0, window);
        assertThat(shared.tokens()).isEqualTo(alone.window(0, window).tokens());
        shared
            .batches()
            .forEach(
                batch -> {
                  assertThat(batch.segments())
                      .containsExactly(
                          batch.examples().stream().mapToInt(TokenizedExample::length).toArray());
                  assertThat(batch.tokens()).isLessThanOrEqualTo(2 * MAX_LENGTH);
                  batch.examples().forEach(row -> ofWindow.add(row.origin()));
                });
      }
      assertThat(alone.window(0, window).batches()).hasSizeLessThanOrEqualTo(1);
      together.addAll(ofWindow);
    }
    assertThat(together).containsExactlyInAnyOrderElementsOf(all(200));
  }

  @Test
  void packedValidationRowsAreThoseOfTheFile() {
    Examples rows = examples(50);

    List<Batch> packed = EvaluationBatches.packed(rows, 2, MAX_LENGTH);

    assertThat(packed.stream().flatMap(batch -> batch.examples().stream()))
        .extracting(TokenizedExample::origin)
        .containsExactlyInAnyOrderElementsOf(all(50));
    assertThat(packed).allSatisfy(batch -> assertThat(batch.rows()).isEqualTo(1));
    assertThat(packed.stream().mapToLong(Batch::supervisedTokens).sum())
        .isEqualTo(IntStream.range(0, 50).mapToLong(rows::supervisedTokens).sum());
  }

  @Test
  void rowsOfLikeLengthShareAWindowAndNoneIsLost() {
    Examples rows = examples(1003);
    LengthGroups order = new LengthGroups(new RowOrder(1003, 42, true), rows, 16);
    MicroBatches grouped = batches(rows, order, 4, 4);
    MicroBatches shuffled = batches(rows, new RowOrder(1003, 42, true), 4, 4);

    assertThat(origins(grouped, 1)).containsExactlyInAnyOrderElementsOf(all(1003));
    assertThat(origins(grouped, 1)).isNotEqualTo(origins(grouped, 0));
    // Of what the shuffled order pads, hardly a tenth is left.
    assertThat(grouped.computedTokens(0) - tokens(rows))
        .isLessThan((shuffled.computedTokens(0) - tokens(rows)) / 10);
  }

  @Test
  void theWindowWithTheLongestRowComesFirstAndTheIncompleteOneLast() {
    Examples rows = examples(1003);
    LengthGroups order = new LengthGroups(new RowOrder(1003, 42, true), rows, 16);

    int[] epoch = order.sequencesOf(2).rows();

    assertThat(Arrays.stream(epoch, 0, 16).map(rows::length).max()).hasValue(rows.longest());
    assertThat(Arrays.stream(epoch, 992, 1003).map(rows::length).boxed().toList())
        .isSortedAccordingTo(Collections.reverseOrder());
  }

  @Test
  void groupedWindowsAreTheSameForAnyRanksAndNoRankAlwaysHasTheLongestRows() {
    Examples rows = examples(256);
    LengthGroups order = new LengthGroups(new RowOrder(256, 42, true), rows, 32);
    MicroBatches alone = batches(rows, order, 8, 4);
    long[] computed = new long[4];
    for (int window = 0; window < alone.windowsPerEpoch(); window++) {
      List<String> together = new ArrayList<>();
      for (int rank = 0; rank < 4; rank++) {
        List<Batch> batches =
            new MicroBatches(rows, order, 2, 4, rank, 4, 0).window(0, window).batches();
        for (Batch batch : batches) {
          computed[rank] += batch.inputIds().length;
          batch.examples().forEach(row -> together.add(row.origin()));
        }
      }
      List<String> expected = new ArrayList<>();
      alone
          .window(0, window)
          .batches()
          .forEach(batch -> batch.examples().forEach(row -> expected.add(row.origin())));
      assertThat(together).containsExactlyInAnyOrderElementsOf(expected);
    }
    long most = Arrays.stream(computed).max().orElseThrow();
    long least = Arrays.stream(computed).min().orElseThrow();
    assertThat(most - least).isLessThan(least / 50);
  }

  @Test
  void aWeightTakesWholeCopiesAndAFractionDrawnAnew() {
    WeightedRows weighted = new WeightedRows(List.of(10, 8, 4), List.of(2.5, 0.25, 1.0), 42);

    int[] first = weighted.epoch(0);
    int[] second = weighted.epoch(1);

    assertThat(weighted.perEpoch()).isEqualTo(25 + 2 + 4);
    assertThat(first).hasSize(31);
    for (int row = 0; row < 10; row++) {
      assertThat(count(first, row)).isBetween(2L, 3L);
    }
    assertThat(Arrays.stream(first).filter(row -> row < 10).count()).isEqualTo(25);
    assertThat(Arrays.stream(first).filter(row -> row >= 10 && row < 18).distinct().count())
        .isEqualTo(2);
    assertThat(Arrays.stream(first).filter(row -> row >= 18).toArray())
        .containsExactly(18, 19, 20, 21);
    assertThat(second).hasSize(31).isNotEqualTo(first);
    assertThat(new WeightedRows(List.of(10, 8, 4), List.of(2.5, 0.25, 1.0), 42).epoch(1))
        .isEqualTo(second);
    assertThat(weighted.constant()).isFalse();
    assertThat(weighted.mean(row -> 1)).isEqualTo(31);
  }

  private static long count(int[] rows, int wanted) {
    return Arrays.stream(rows).filter(row -> row == wanted).count();
  }

  @Test
  void aSmallWeightStillTakesARow() {
    WeightedRows weighted = new WeightedRows(List.of(10, 3), List.of(1.0, 0.001), 0);

    assertThat(weighted.perEpoch()).isEqualTo(11);
  }

  @Test
  void anEpochOfWeightedRowsIsFoundWithoutThoseBeforeIt() {
    Examples rows = examples(20);
    RowOrder order =
        new RowOrder(new WeightedRows(List.of(12, 8), List.of(1.0, 0.5), 42), 42, true);

    MicroBatches fromStart = batches(rows, order, 2, 2);
    List<String> before = origins(fromStart, 0);
    List<String> third = origins(fromStart, 2);

    assertThat(origins(batches(rows, order, 2, 2), 2)).isEqualTo(third).isNotEqualTo(before);
    assertThat(third).hasSize(16);
  }

  @Test
  void packedEpochsOfAWeightedSourceHaveOneNumberOfWindows() {
    Examples rows = examples(120);
    RowOrder order =
        new RowOrder(new WeightedRows(List.of(60, 60), List.of(1.0, 0.3), 42), 42, true);
    PackedOrder packed = new PackedOrder(order, rows, MAX_LENGTH, 20);
    MicroBatches batches = batches(rows, packed, 2, 2);

    for (int epoch = 0; epoch < 20; epoch++) {
      assertThat(origins(batches, epoch)).hasSize(78);
      for (int window = 0; window < batches.windowsPerEpoch(); window++) {
        assertThat(batches.window(epoch, window).batches()).hasSizeBetween(1, 2);
      }
    }
  }
}
