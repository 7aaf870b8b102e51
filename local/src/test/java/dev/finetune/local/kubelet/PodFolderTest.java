package dev.finetune.local.kubelet;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PodFolderTest {
  @TempDir private Path temporary;
  private PodFolder folder;

  @BeforeEach
  void mount() throws IOException {
    folder = PodFolder.create(temporary.resolve("pod"));
    folder.directory("/etc/finetune");
    folder.link("/mnt/volumes/models", Files.createDirectory(temporary.resolve("models")));
  }

  @Test
  void aPathInAMountOrAboveOneBecomesAPathOfThisMachine() throws IOException {
    Files.writeString(temporary.resolve("models/config.json"), "{}");

    assertThat(Path.of(folder.rewrite("/etc/finetune/recipe.yaml")))
        .isEqualTo(temporary.resolve("pod/rootfs/etc/finetune/recipe.yaml"));
    assertThat(Path.of(folder.rewrite("/mnt/volumes"), "models", "config.json")).hasContent("{}");
    assertThat(folder.rewrite("--models=/mnt/volumes/models")).startsWith("--models=" + temporary);
  }

  @Test
  void otherValuesStayAsTheyAre() {
    assertThat(folder.rewrite("/usr/bin/env")).isEqualTo("/usr/bin/env");
    assertThat(folder.rewrite("/etc/finetune-other")).isEqualTo("/etc/finetune-other");
    assertThat(folder.rewrite("/")).isEqualTo("/");
    assertThat(folder.rewrite("sft")).isEqualTo("sft");
  }

  @Test
  void aFailedContainerWithoutLastWordsLeavesTheEndOfItsLog() throws IOException {
    Container container =
        new ContainerBuilder()
            .withTerminationMessagePath("/dev/termination-log")
            .withTerminationMessagePolicy("FallbackToLogsOnError")
            .build();
    folder.terminationMessage(container);
    Files.writeString(folder.log(), "x".repeat(5000) + "the end\n");

    assertThat(folder.lastWords(container, 1)).hasSize(2047).endsWith("the end");
    assertThat(folder.lastWords(container, 0)).isEmpty();

    Files.writeString(Path.of(folder.rewrite("/dev/termination-log")), "y".repeat(5000));
    assertThat(folder.lastWords(container, 1)).isEqualTo("y".repeat(4096));
  }
}
