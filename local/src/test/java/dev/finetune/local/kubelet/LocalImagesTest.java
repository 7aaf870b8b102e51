package dev.finetune.local.kubelet;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalImagesTest {
  @TempDir private Path temporary;

  @Test
  void withoutACommandTheImagesOwnProgramRuns() {
    Path program = temporary.resolve("trainer");
    LocalImages images = new LocalImages(Map.of("finetune-trainer", program));
    Container container =
        new ContainerBuilder()
            .withImage("finetune-trainer:0.1.0")
            .withArgs("sft", "--recipe", "/etc/recipe.yaml")
            .build();

    assertThat(images.commandLine(container, path -> path.replace("/etc", "/moved")))
        .containsExactly(program.toString(), "sft", "--recipe", "/moved/recipe.yaml");
  }

  @Test
  void aProgramOfAnImageThatLiesBelowAMountsPathIsNotRewritten() throws IOException {
    Path program = Files.createFile(temporary.resolve("trainer"));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    LocalImages images = new LocalImages(Map.of("finetune-trainer", temporary));
    Container container =
        new ContainerBuilder()
            .withImage("registry.example/ml/finetune-trainer:0.1.0")
            .withCommand("trainer")
            .withArgs("--recipe", temporary + "/recipe.yaml")
            .build();

    assertThat(images.have(container)).isTrue();
    assertThat(images.commandLine(container, path -> path.replace(temporary.toString(), "/moved")))
        .containsExactly(program.toString(), "--recipe", "/moved/recipe.yaml");
  }
}
