package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.picture.Picture;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MicroBatchesTest {
  /** Row i has i + 2 tokens, of which all but the first are supervised. */
  private static List<TokenizedExample> examples(int count) {
    List<TokenizedExample> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] ids = new int[i + 2];
      java.util.Arrays.fill(ids, i);
      int[] labels = ids.clone();
      labels[0] = TokenizedExample.IGNORED;
      examples.add(new TokenizedExample("a:" + i, ids, labels));
    }
    return examples;
  }

  private static List<String> origins(MicroBatches.Window window) {
    return window.batches().stream()
        .flatMap(batch -> batch.examples().stream())
        .map(TokenizedExample::origin)
        .toList();
  }

  @Test
  void usesTheLastIncompleteMicroBatchAndWindowOfAnEpoch() {
    MicroBatches batches =
        new MicroBatches(examples(11), new RowOrder(11, 0, false), 2, 4, 0, 1, 99);

    assertThat(batches.windowsPerEpoch()).isEqualTo(2);
    assertThat(batches.window(0, 0).batches()).extracting(Batch::rows).containsExactly(2, 2, 2, 2);
    assertThat(batches.window(0, 1).batches()).extracting(Batch::rows).containsExactly(2, 1);
    assertThat(batches.window(0, 0).supervisedTokens()).isEqualTo(1 + 2 + 3 + 4 + 5 + 6 + 7 + 8);
    assertThat(batches.window(0, 1).supervisedTokens()).isEqualTo(9 + 10 + 11);
    assertThat(origins(batches.window(0, 1))).containsExactly("a:8", "a:9", "a:10");
  }

  @Test
  void padsEachMicroBatchToItsOwnLongestRow() {
    Batch batch =
        new MicroBatches(examples(2), new RowOrder(2, 0, false), 2, 1, 0, 1, 99)
            .window(0, 0)
            .batches()
            .get(0);

    assertThat(batch.inputIds()).containsExactly(0, 0, 99, 1, 1, 1);
    assertThat(batch.labels()).containsExactly(-100, 0, -100, -100, 1, 1);
  }

  @Test
  void findsAnyWindowWithoutTheOnesBeforeIt() {
    RowOrder order = new RowOrder(23, 42, true);
    MicroBatches fromStart = new MicroBatches(examples(23), order, 2, 3, 0, 1, 0);
    List<List<String>> all = new ArrayList<>();
    for (int epoch = 0; epoch < 3; epoch++) {
      for (int window = 0; window < fromStart.windowsPerEpoch(); window++) {
        all.add(origins(fromStart.window(epoch, window)));
      }
    }

    MicroBatches resumed = new MicroBatches(examples(23), order, 2, 3, 0, 1, 0);

    assertThat(origins(resumed.window(2, 1))).isEqualTo(all.get(9));
    assertThat(origins(resumed.window(1, 3))).isEqualTo(all.get(7));
    for (int epoch = 0; epoch < 3; epoch++) {
      assertThat(all.subList(epoch * 4, epoch * 4 + 4).stream().flatMap(List::stream))
          .hasSize(23)
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void ranksTakeTheirRowsOfEveryMicroBatchWithoutLossOrRepetition() {
    RowOrder order = new RowOrder(21, 42, true);
    MicroBatches alone = new MicroBatches(examples(21), order, 8, 1, 0, 1, 0);
    for (int window = 0; window < alone.windowsPerEpoch(); window++) {
      List<String> together = new ArrayList<>();
      for (int rank = 0; rank < 4; rank++) {
        MicroBatches shared = new MicroBatches(examples(21), order, 2, 1, rank, 4, 0);
        together.addAll(origins(shared.window(1, window)));
        assertThat(shared.windowsPerEpoch()).isEqualTo(alone.windowsPerEpoch());
        assertThat(shared.window(1, window).supervisedTokens())
            .isEqualTo(alone.window(1, window).supervisedTokens());
        assertThat(shared.window(1, window).tokens()).isEqualTo(alone.window(1, window).tokens());
      }
      assertThat(together).isEqualTo(origins(alone.window(1, window)));
    }
  }

  @Test
  void aRankMayHaveNoRowInTheLastWindow() {
    MicroBatches last = new MicroBatches(examples(9), new RowOrder(9, 0, false), 2, 2, 1, 2, 0);

    assertThat(last.window(0, 1).batches()).isEmpty();
    assertThat(last.window(0, 1).supervisedTokens()).isEqualTo(9);
    assertThat(last.window(0, 1).tokens()).isEqualTo(10);
  }

  @Test
  void refusesAWindowBeyondTheEpoch() {
    MicroBatches batches = new MicroBatches(examples(3), new RowOrder(3, 0, false), 2, 1, 0, 1, 0);

    assertThatThrownBy(() -> batches.window(0, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(
            () -> new MicroBatches(examples(3), new RowOrder(4, 0, false), 1, 1, 0, 1, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void takesEvaluationRowsInTheirOwnOrder() {
    assertThat(MicroBatches.inOrder(examples(5), 2, 0))
        .extracting(Batch::rows)
        .containsExactly(2, 2, 1);
    assertThat(MicroBatches.inOrder(List.of(), 2, 0)).isEmpty();
  }

  @Test
  void picturesOfTheNextWindowsOwnRowsArePrefetched() {
    List<Integer> prefetched = new ArrayList<>();
    List<TokenizedExample> rows = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      TokenizedExample text = examples(i + 1).get(i);
      rows.add(
          new TokenizedExample(
              text.origin(), text.inputIds(), text.labels(), List.of(noting(i, prefetched))));
    }
    MicroBatches second = new MicroBatches(rows, new RowOrder(11, 0, false), 2, 1, 1, 2, 99);

    second.window(0, 0);
    assertThat(prefetched).containsExactly(6, 7);
    prefetched.clear();
    second.window(0, 1);
    assertThat(prefetched).containsExactly(10);
    prefetched.clear();
    second.window(0, 2);
    assertThat(prefetched).isEmpty();
  }

  private static Picture noting(int row, List<Integer> prefetched) {
    return new Picture() {
      @Override
      public int tiles() {
        return 1;
      }

      @Override
      public int width() {
        return 1;
      }

      @Override
      public int height() {
        return 1;
      }

      @Override
      public String sha256() {
        return "";
      }

      @Override
      public byte[] pixels() {
        return new byte[0];
      }

      @Override
      public void prefetch() {
        prefetched.add(row);
      }
    };
  }
}
