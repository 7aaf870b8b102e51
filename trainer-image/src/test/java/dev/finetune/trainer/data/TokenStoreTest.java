package dev.finetune.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenStoreTest {
  private static Examples stored(long budget, int rows) {
    try (TokenStore store = new TokenStore(budget)) {
      for (int i = 0; i < rows; i++) {
        LabelledTokens tokens = LabelledTokens.ignored(new int[] {0, i, 7, i * i});
        tokens.learn(i % 4, 4, true);
        String file = i < rows / 2 ? "a.jsonl" : "b.csv";
        store.add(new SourceRow(0, file, i + 1, new PlainText("x")), tokens.part(0, 1 + i % 4));
      }
      return store.examples();
    }
  }

  private static List<List<Object>> values(Examples rows) {
    List<List<Object>> values = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      TokenizedExample row = rows.get(i);
      values.add(
          List.of(
              row.origin(),
              java.util.Arrays.toString(row.inputIds()),
              java.util.Arrays.toString(row.labels()),
              rows.length(i),
              rows.supervisedTokens(i)));
    }
    return values;
  }

  @Test
  void rowsInAFileAreTheRowsInMemory() {
    Examples inMemory = stored(1 << 20, 2000);

    assertThat(values(stored(1000, 2000))).isEqualTo(values(inMemory));
    assertThat(values(stored(0, 2000))).isEqualTo(values(inMemory));
    TokenizedExample last = inMemory.get(1999);
    assertThat(last.origin()).isEqualTo("b.csv:2000");
    assertThat(last.inputIds()).containsExactly(0, 1999, 7, 1999 * 1999);
    assertThat(last.labels()).containsExactly(-100, -100, -100, 1999 * 1999);
    assertThat(inMemory.supervisedTokens(1999)).isEqualTo(1);
    assertThat(inMemory.get(998).origin()).isEqualTo("a.jsonl:999");
  }

  @Test
  void aSelectionHasItsRowsInItsOrder() {
    Examples chosen = stored(0, 20).select(new int[] {7, 3});

    assertThat(chosen)
        .extracting(TokenizedExample::origin)
        .containsExactly("a.jsonl:8", "a.jsonl:4");
    assertThat(chosen.length(0)).isEqualTo(4);
    assertThat(chosen.supervisedTokens(1)).isEqualTo(1);
  }

  @Test
  void theHistogramsClassesDouble() {
    LengthHistogram lengths = new LengthHistogram();
    for (int length : new int[] {17, 32, 33, 200}) {
      lengths.add(length);
    }

    assertThat(lengths.bars())
        .containsExactly(
            new LengthHistogram.Bar(17, 32, 2),
            new LengthHistogram.Bar(33, 64, 1),
            new LengthHistogram.Bar(65, 128, 0),
            new LengthHistogram.Bar(129, 256, 1));
  }
}
