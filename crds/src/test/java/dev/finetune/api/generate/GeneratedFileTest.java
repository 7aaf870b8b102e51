package dev.finetune.api.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GeneratedFileTest {
  /** Maven runs tests in the module's folder. */
  private static final Path ROOT = Path.of("..");

  @ParameterizedTest
  @MethodSource("dev.finetune.api.generate.GeneratedFile#all")
  void isWhatTheApiTypesSay(GeneratedFile file) {
    assertThat(ROOT.resolve(file.path()))
        .as("generated file; after a change of the API types run: %s", GeneratedFile.COMMAND)
        .content()
        .isEqualTo(file.content());
  }

  @Test
  void theCrdIsFarBelowWhatKubectlApplyCanAnnotate() throws IOException {
    assertThat(Files.size(ROOT.resolve(GeneratedFile.CRD))).isBetween(10_000L, 100_000L);
  }
}
