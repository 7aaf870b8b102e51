package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.picture.Picture;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchTest {
  private final TokenizedExample prompted =
      new TokenizedExample("a:1", new int[] {1, 2, 3}, new int[] {-100, 2, 3});
  private final TokenizedExample plain =
      new TokenizedExample("a:2", new int[] {4, 5}, new int[] {4, 5});

  @Test
  void paddedRowsAreFilledUpOnTheRight() {
    Batch batch = Batch.of(List.of(prompted, plain), 9);

    assertThat(batch.rows()).isEqualTo(2);
    assertThat(batch.length()).isEqualTo(3);
    assertThat(batch.segments()).isEmpty();
    assertThat(batch.inputIds()).containsExactly(1, 2, 3, 4, 5, 9);
    assertThat(batch.labels()).containsExactly(-100, 2, 3, 4, 5, -100);
    assertThat(batch.tokens()).isEqualTo(5);
    assertThat(batch.supervisedTokens()).isEqualTo(3);
  }

  @Test
  void packedSequencesStandInOneRowAndNonePredictsTheNext() {
    Batch batch = Batch.packed(List.of(prompted, plain, plain));

    assertThat(batch.rows()).isEqualTo(1);
    assertThat(batch.length()).isEqualTo(7);
    assertThat(batch.segments()).containsExactly(3, 2, 2);
    assertThat(batch.inputIds()).containsExactly(1, 2, 3, 4, 5, 4, 5);
    assertThat(batch.labels()).containsExactly(-100, 2, 3, -100, 5, -100, 5);
    assertThat(batch.tokens()).isEqualTo(7);
    assertThat(batch.supervisedTokens()).isEqualTo(4);
  }

  @Test
  void aSequenceWithoutTokensCantBePacked() {
    TokenizedExample empty = new TokenizedExample("a:3", new int[0], new int[0]);
    assertThatThrownBy(() -> Batch.packed(List.of(plain, empty)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("nothing to pack: [2, 0]");
    assertThatThrownBy(() -> Batch.packed(List.of())).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void picturesAreInTheOrderOfTheRows() {
    Picture first = new PictureFixture.Sized(1, 1, 1, "first");
    Picture second = new PictureFixture.Sized(1, 1, 1, "second");
    Picture third = new PictureFixture.Sized(1, 1, 1, "third");
    TokenizedExample two =
        new TokenizedExample("a:4", new int[] {1, 2}, new int[] {1, 2}, List.of(second, third));
    TokenizedExample one =
        new TokenizedExample("a:5", new int[] {1}, new int[] {1}, List.of(first));

    assertThat(Batch.of(List.of(one, plain, two), 9).pictures())
        .containsExactly(first, second, third);
    assertThat(Batch.packed(List.of(one, plain, two)).pictures())
        .containsExactly(first, second, third);
    assertThat(Batch.of(List.of(plain), 9).pictures()).isEmpty();
  }
}
