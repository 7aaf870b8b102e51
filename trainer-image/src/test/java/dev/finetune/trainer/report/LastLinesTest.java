package dev.finetune.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.TerminationMessage;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LastLinesTest {
  private final LastLines lines = new LastLines();

  @Test
  void theNewestWholeLinesAreKept() {
    for (int i = 1; i <= 100; i++) {
      lines.add("line %03d of thirty bytes each..".formatted(i));
    }

    assertThat(lines.text()).endsWith("\nline 100 of thirty bytes each..");
    assertThat(lines.text()).startsWith("line 055 ");
    assertThat(lines.text().lines()).hasSize(46);
  }

  @Test
  void aLineThatIsTooLongAloneIsCutAtACharacter() {
    lines.add("before");
    lines.add("é\uD83D\uDE00".repeat(1000));

    String text = lines.text();
    assertThat(text).startsWith("é\uD83D\uDE00").doesNotContain("before");
    assertThat(text.getBytes(StandardCharsets.UTF_8).length)
        .isBetween(TerminationMessage.MAX_LOG_BYTES - 5, TerminationMessage.MAX_LOG_BYTES);
    assertThat(text.codePoints()).allMatch(c -> c == 'é' || c == 0x1F600);
  }

  @Test
  void nothingSaidIsNothing() {
    assertThat(lines.text()).isEmpty();
  }
}
