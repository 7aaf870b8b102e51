package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RowOrderTest {
  @Test
  void drawsEveryRowOnceInAnOrderOfItsOwnForEachEpoch() {
    RowOrder order = new RowOrder(100, 42, true);

    assertThat(Arrays.stream(order.epoch(0)).sorted())
        .containsExactlyElementsOf(IntStream.range(0, 100).boxed().toList());
    assertThat(order.epoch(0)).isEqualTo(order.epoch(0)).isNotEqualTo(order.epoch(1));
    assertThat(new RowOrder(100, 43, true).epoch(0)).isNotEqualTo(order.epoch(0));
  }

  @Test
  void keepsTheOrderThatWasEverDrawnFromASeed() {
    assertThat(new RowOrder(8, 42, true).epoch(0)).containsExactly(6, 3, 1, 4, 7, 0, 2, 5);
    assertThat(new RowOrder(8, 42, true).epoch(3)).containsExactly(4, 3, 7, 1, 5, 6, 2, 0);
  }

  @Test
  void followsTheFilesWithoutShuffle() {
    assertThat(new RowOrder(4, 42, false).epoch(5)).containsExactly(0, 1, 2, 3);
  }

  @Test
  void drawsFirstPlacesWithoutBias() {
    int[] counts = new int[6];
    for (int epoch = 0; epoch < 6000; epoch++) {
      counts[new RowOrder(6, 1, true).epoch(epoch)[0]]++;
    }
    // 1000 expected of each, with a standard deviation of 29.
    assertThat(Arrays.stream(counts).boxed())
        .allSatisfy(count -> assertThat(count).isBetween(855, 1145));
  }

  @Test
  void isTheGeneratorOfThePaper() {
    // The first outputs of SplitMix64 from state 0, published with the reference implementation.
    SplitMix64 generator = SplitMix64.fromState(0);
    assertThat(generator.next()).isEqualTo(0xe220a8397b1dcdafL);
    assertThat(generator.next()).isEqualTo(0x6e789e6aa1b965f4L);
    assertThat(generator.next()).isEqualTo(0x06c45d188009454fL);
  }
}
