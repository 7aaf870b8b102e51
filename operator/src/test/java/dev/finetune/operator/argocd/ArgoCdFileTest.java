package dev.finetune.operator.argocd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ArgoCdFileTest {
  /** Maven runs tests in the module's folder. */
  private static final Path FOLDER = Path.of("../argocd");

  static List<ArgoCdFile> files() throws IOException {
    return ArgoCdFile.all(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("files")
  void isWhatTheScriptsAndTheOperatorSay(ArgoCdFile file) {
    assertThat(FOLDER.resolve(file.path()))
        .as("generated file; after a change of the scripts or statuses run: %s", ArgoCdFile.COMMAND)
        .content()
        .isEqualTo(file.content());
  }
}
