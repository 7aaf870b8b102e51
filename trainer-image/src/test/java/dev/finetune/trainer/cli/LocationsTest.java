package dev.finetune.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.finetune.trainer.TrainerException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LocationsTest {
  private final Locations locations = new Locations(Path.of("/mnt/volumes"));

  @Test
  void aClaimLiesInTheVolumesFolderByItsName() {
    assertThat(locations.resolve("pvc://models/qwen/0.5b"))
        .isEqualTo(Path.of("/mnt/volumes/models/qwen/0.5b"));
    assertThat(locations.resolve("pvc://models")).isEqualTo(Path.of("/mnt/volumes/models"));
    assertThat(locations.resolve("pvc://models//a/")).isEqualTo(Path.of("/mnt/volumes/models/a"));
  }

  @Test
  void aSourceThatLeavesItsClaimIsRefused() {
    assertThatThrownBy(() -> locations.resolve("pvc://models/../secrets/token"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("out of its claim");
  }

  @Test
  void aFileIsItsPathWithItsEscapesUndone() {
    assertThat(locations.resolve("file:///data/a.json")).isEqualTo(Path.of("/data/a.json"));
    assertThat(locations.resolve("file:///data/my%20rows.json"))
        .isEqualTo(Path.of("/data/my rows.json"));
    assertThat(locations.resolve("file:///data/100%.json")).isEqualTo(Path.of("/data/100%.json"));
  }

  @Test
  void aPlainPathBecomesASourceThatLeadsBackToIt() {
    for (String path :
        new String[] {"/data/a.json", "/data/my rows.json", "/data/50%25.json", "/d/数据.json"}) {
      String source = Locations.sourceOf(path);
      assertThat(source).startsWith("file:///").doesNotContainAnyWhitespaces();
      assertThat(locations.resolve(source)).isEqualTo(Path.of(path));
    }
    assertThat(Locations.sourceOf("rows.json"))
        .isEqualTo("file://" + Path.of("").toAbsolutePath().resolve("rows.json"));
    assertThat(Locations.sourceOf("pvc://data/a.json")).isEqualTo("pvc://data/a.json");
  }

  @Test
  void anotherFormIsRefused() {
    assertThatThrownBy(() -> locations.resolve("https://example.org/a.json"))
        .isInstanceOf(TrainerException.class)
        .hasMessageContaining("pvc://CLAIM/PATH");
  }
}
