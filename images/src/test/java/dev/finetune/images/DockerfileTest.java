package dev.finetune.images;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What stands in a Dockerfile and elsewhere too is the same. */
class DockerfileTest {
  private static final Path TRAINER = Image.TRAINER_CPU.module();

  @Test
  void theTrainersSettingsAreThoseOfTheProgram() throws IOException {
    List<String> settings =
        Files.readAllLines(TRAINER.resolve("bin/trainer.env")).stream()
            .filter(line -> line.contains("=") && !line.startsWith("#"))
            .toList();

    assertThat(settings).isNotEmpty();
    assertThat(all("\\b[A-Z_]+=\\S+", dockerfile())).containsAll(settings);
  }

  @Test
  void theVersionsAreThoseOfTheBuild() throws IOException {
    String pytorch = System.getProperty("djl.pytorch.version");

    assertThat(dockerfile())
        .contains(
            "ARG PYTORCH=" + pytorch,
            "PYTORCH_VERSION=" + pytorch + " ",
            "ARG DJL=" + System.getProperty("djl.version"));
    assertThat(Files.readString(Path.of("cuda/requirements.txt")))
        .contains("torch==" + pytorch + " ");
    assertThat(TRAINER.resolve("target/lib/jna-" + System.getProperty("jna.version") + ".jar"))
        .exists();
  }

  private static String dockerfile() throws IOException {
    return Files.readString(TRAINER.resolve("Dockerfile"));
  }

  private static List<String> all(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
  }
}
