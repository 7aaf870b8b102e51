package dev.finetune.images;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What both images promise to whoever lets them into a cluster. */
class ImageTest {
  private static final long MIB = 1 << 20;

  /** What may be taken from a node's disk. */
  private static final Map<Image, Long> LARGEST =
      Map.of(Image.OPERATOR, 200 * MIB, Image.TRAINER_CPU, 600 * MIB);

  private static final Map<Image, ImageArchive> ARCHIVES = new EnumMap<>(Image.class);

  @BeforeAll
  static void read() throws IOException {
    for (Image image : Image.values()) {
      ARCHIVES.put(image, ImageArchive.read(image.archive()));
    }
  }

  @ParameterizedTest
  @EnumSource
  void itRunsAsANumericUserWithoutRights(Image image) {
    // A name would not do: the kubelet can't tell whether it is root's.
    assertThat(archive(image).config().path("User").asText()).isEqualTo("65532:65532");
  }

  @ParameterizedTest
  @EnumSource
  void nobodyButRootCanChangeWhatIsInIt(Image image) {
    assertThat(archive(image).files().values())
        .allSatisfy(
            file -> {
              assertThat(file.user()).as(file.path()).isZero();
              assertThat(file.mode() & 06000).as("setuid, setgid of " + file.path()).isZero();
            })
        .filteredOn(file -> file.type() != ImageFile.Type.LINK && (file.mode() & 022) != 0)
        .extracting(ImageFile::path)
        .containsExactly("/tmp");
  }

  @ParameterizedTest
  @EnumSource
  void javaIsTheOnlyProgramInIt(Image image) {
    assertThat(archive(image).files().values())
        .filteredOn(file -> file.type() == ImageFile.Type.FILE && (file.mode() & 0111) != 0)
        .extracting(ImageFile::path)
        .filteredOn(path -> !path.matches(".*\\.so(\\.[0-9.]+)?"))
        .allMatch(path -> path.startsWith("/opt/java/"));
    assertThat(archive(image).files().keySet())
        .noneMatch(path -> path.matches("(/usr)?/s?bin/.*|.*/(ba|da)?sh|.*/busybox"));
  }

  @ParameterizedTest
  @EnumSource
  void whatItsEntrypointNamesIsInIt(Image image) {
    List<String> entrypoint = texts(archive(image).config().path("Entrypoint"));

    assertThat(entrypoint.get(0)).isEqualTo("/opt/java/bin/java");
    assertThat(entrypoint)
        .filteredOn(argument -> argument.contains("/"))
        .allSatisfy(
            argument ->
                assertThat(archive(image).files()).containsKey(argument.replaceFirst("^@", "")));
  }

  @ParameterizedTest
  @EnumSource
  void itSaysWhatItIs(Image image) {
    JsonNode labels = archive(image).config().path("Labels");
    String version = System.getProperty("project.version");

    assertThat(archive(image).name()).contains("/finetune-operator/").contains(":" + version);
    assertThat(label(labels, "version")).isEqualTo(version);
    assertThat(label(labels, "title")).startsWith("finetune-");
    assertThat(label(labels, "description")).contains("Fine-tunes language models");
    assertThat(label(labels, "licenses")).isEqualTo("Apache-2.0");
    assertThat(label(labels, "source")).endsWith("/finetune-operator");
    assertThat(label(labels, "revision")).matches("[0-9a-f]{40}|unknown");
  }

  @ParameterizedTest
  @EnumSource
  void itIsSmall(Image image) {
    long bytes = archive(image).files().values().stream().mapToLong(ImageFile::size).sum();

    assertThat(bytes).isBetween(90 * MIB, LARGEST.get(image));
  }

  @ParameterizedTest
  @EnumSource
  void everyJarAndPackageIsInItsBillOfMaterials(Image image) throws IOException {
    JsonNode sbom = new ObjectMapper().readTree(image.sbom().toFile());

    assertThat(sbom.path("metadata").path("component").path("type").asText())
        .isEqualTo("container");
    assertThat(
            components(sbom)
                .filter(component -> component.path("purl").asText().startsWith("pkg:deb/"))
                .map(component -> component.path("name").asText()))
        .containsExactlyInAnyOrder(
            "base-files",
            "libc6",
            "libgcc-s1",
            "libjpeg62-turbo",
            "libstdc++6",
            "openjdk-17-jre-headless",
            "zlib1g");
    List<String> located =
        components(sbom)
            .flatMap(component -> elements(component.path("evidence").path("occurrences")))
            .map(occurrence -> occurrence.path("location").asText())
            .toList();
    assertThat(located)
        .containsAll(
            archive(image).files().values().stream()
                .filter(ImageFile::isJar)
                .map(ImageFile::path)
                .toList());
  }

  @ParameterizedTest
  @EnumSource
  void onlyItsOwnJarsAreUnknownToMaven(Image image) throws IOException {
    JsonNode sbom = new ObjectMapper().readTree(image.sbom().toFile());

    assertThat(
            components(sbom)
                .filter(component -> component.path("type").asText().equals("file"))
                .map(component -> component.path("name").asText()))
        .allMatch(
            name ->
                name.matches(
                    "trainer.jar|crds-.*|.*operator-[0-9].*|.*crds-[0-9].*|quarkus-run.jar|"
                        + "generated-bytecode.jar|transformed-bytecode.jar|jrt-fs.jar"));
  }

  private static ImageArchive archive(Image image) {
    return ARCHIVES.get(image);
  }

  private static Stream<JsonNode> components(JsonNode sbom) {
    return elements(sbom.path("components"));
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static String label(JsonNode labels, String name) {
    return labels.path("org.opencontainers.image." + name).asText();
  }

  private static List<String> texts(JsonNode array) {
    return elements(array).map(JsonNode::asText).toList();
  }
}
