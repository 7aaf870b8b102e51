package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StreamedTextTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);

  @Test
  void halfACharacterIsHeldBackUntilItIsWhole() {
    byte[] utf8 = "a你\uD83D\uDE00b".getBytes(StandardCharsets.UTF_8);
    StreamedText text = new StreamedText(StreamedTextTest::decode, out);

    text.add(utf8[0]);
    text.add(utf8[1]);
    assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualTo("a");
    for (int i = 2; i < utf8.length; i++) {
      text.add(utf8[i]);
    }
    text.end();

    assertThat(printed.toString(StandardCharsets.UTF_8))
        .isEqualTo("a你\uD83D\uDE00b" + System.lineSeparator());
  }

  @Test
  void whatNeverBecomesWholeIsShownAtTheEnd() {
    StreamedText text = new StreamedText(StreamedTextTest::decode, out);
    text.add((byte) 0xE4);
    text.end();

    assertThat(printed.toString(StandardCharsets.UTF_8))
        .isEqualTo("\uFFFD" + System.lineSeparator());
  }

  /** A byte a token, as in a byte-level tokenizer. */
  private static String decode(int[] ids) {
    byte[] bytes = new byte[ids.length];
    for (int i = 0; i < ids.length; i++) {
      bytes[i] = (byte) ids[i];
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
