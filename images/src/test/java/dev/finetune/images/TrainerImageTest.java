package dev.finetune.images;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.jar.JarFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The trainer's image: its settings, and its native libraries where DJL looks for them. */
class TrainerImageTest {
  private static final Path BIN = Image.TRAINER_CPU.module().resolve("bin");
  private static final Path JARS = Image.TRAINER_CPU.module().resolve("target/lib");

  private static ImageArchive image;

  @BeforeAll
  static void read() throws IOException {
    image = ImageArchive.read(Image.TRAINER_CPU.archive());
  }

  @Test
  void itsSettingsAreThoseOfTheProgram() throws IOException {
    Properties settings = new Properties();
    try (InputStream file = Files.newInputStream(BIN.resolve("trainer.env"))) {
      settings.load(file);
    }

    assertThat(settings).isNotEmpty();
    settings.forEach(
        (name, value) -> assertThat(environment()).containsEntry((String) name, (String) value));
    assertThat(image.files().get("/opt/trainer/jvm.options").text())
        .isEqualTo(Files.readString(BIN.resolve("jvm.options")));
  }

  @Test
  void libtorchIsUnpackedWhereDjlLooksForIt() {
    assertThat(environment()).containsEntry("PYTORCH_FLAVOR", "cpu");
    String libtorch = environment().get("PYTORCH_LIBRARY_PATH");

    assertThat(image.files()).containsKey(libtorch + "/libtorch.so");
    assertThat(image.files().get(libtorch + "/libtorch_cpu.so").size()).isGreaterThan(100 << 20);
    assertThat(image.files().keySet()).noneMatch(path -> path.matches(".*/pytorch-native-.*jar"));
  }

  @Test
  void djlFindsItsOwnLibrariesAndUnpacksNothing() throws IOException {
    String cache = environment().get("DJL_CACHE_DIR");
    String pytorch =
        environment().get("PYTORCH_VERSION") + "-" + environment().get("PYTORCH_FLAVOR");

    assertThat(image.files())
        .containsKeys(
            "%s/pytorch/%s-linux-x86_64/%s-libdjl_torch.so"
                .formatted(
                    cache,
                    pytorch,
                    property("api-", "ai/djl/engine/api.properties", "djl_version")),
            "%s/tokenizers/%s-cpu-linux-x86_64/libtokenizers.so"
                .formatted(
                    cache, property("tokenizers-", "native/lib/tokenizers.properties", "version")));
  }

  private static String property(String jarPrefix, String properties, String name)
      throws IOException {
    try (var jars = Files.newDirectoryStream(JARS, jarPrefix + "*.jar");
        JarFile jar = new JarFile(jars.iterator().next().toFile());
        InputStream file = jar.getInputStream(jar.getEntry(properties))) {
      Properties loaded = new Properties();
      loaded.load(file);
      return loaded.getProperty(name);
    }
  }

  private static Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>();
    for (JsonNode variable : image.config().path("Env")) {
      String[] parts = variable.asText().split("=", 2);
      environment.put(parts[0], parts[1]);
    }
    return environment;
  }
}
