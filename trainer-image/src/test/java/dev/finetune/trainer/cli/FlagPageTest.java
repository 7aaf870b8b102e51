package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FlagPageTest {
  @Test
  void theCommittedPageIsWhatTheTablesSay() throws IOException {
    assertThat(Files.readString(Path.of("..").resolve(FlagPage.FILE)))
        .as("write it again with: %s", FlagPage.COMMAND)
        .isEqualTo(FlagPage.text());
  }
}
