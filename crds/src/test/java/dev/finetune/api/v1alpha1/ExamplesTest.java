package dev.finetune.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.schema.FineTuneJobSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExamplesTest {
  private static final Path EXAMPLES = Path.of("..", "examples");
  private static final Set<String> CLAIMS = Set.of("models", "data", "results");
  private static final ObjectMapper YAML =
      YAMLMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .build();

  /**
   * Files that are no manifests, each with the test that uses it. A file that is in neither list
   * fails {@link #everyFileIsUsedByATest()}.
   */
  private static final Set<Path> USED_ELSEWHERE =
      Stream.of(
              "README.md", // theReadmeNamesEveryManifest
              "kueue.yaml", // QueueExampleTest
              "pvc.yaml", // everyClaimOfTheManifestsIsDeclared
              "quickstart.sh", // local: runs the whole of it
              "argocd/application.yaml", // operator: ApplicationExampleTest
              "data/assistant.json", // trainer: ExampleDataTest
              "data/assistant-messages.jsonl", // trainer: ExampleDataTest
              "data/pictures.jsonl", // trainer: ExampleDataTest, and the next six
              "data/images/one-blue-wide.png",
              "data/images/one-red.png",
              "data/images/one-yellow-tall.png",
              "data/images/three-red.png",
              "data/images/two-green.png",
              "data/images/make_pictures.py", // makes the five before
              "data/formats/alpaca.csv", // trainer: DataDocTest, and the next six
              "data/formats/messages.jsonl",
              "data/formats/messages.parquet",
              "data/formats/prompt-completion.jsonl",
              "data/formats/query-response.jsonl",
              "data/formats/sharegpt.json",
              "data/formats/text.txt",
              "data/formats/registered.yaml", // trainer: RegisteredDatasetsTest
              "data/formats/make_parquet.py", // makes messages.parquet
              "models/tiny-chat/config.json", // trainer: ExampleDataTest, and the next four
              "models/tiny-chat/generation_config.json",
              "models/tiny-chat/model.safetensors",
              "models/tiny-chat/tokenizer.json",
              "models/tiny-chat/tokenizer_config.json")
          .map(EXAMPLES::resolve)
          .collect(Collectors.toSet());

  static List<Path> manifests() {
    return files(path -> path.toString().endsWith(".yaml") && !USED_ELSEWHERE.contains(path));
  }

  @Test
  void everyFileIsUsedByATest() {
    Set<Path> used = new TreeSet<>(USED_ELSEWHERE);
    used.addAll(manifests());

    assertThat(files(path -> !used.contains(path)))
        .as("files of examples/ that no test uses; name them here with the test that does")
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void parsesWithoutAnUnknownField(Path manifest) throws IOException {
    FineTuneJob job = YAML.readValue(manifest.toFile(), FineTuneJob.class);

    assertThat(job.getApiVersion()).isEqualTo("finetune.dev/v1alpha1");
    assertThat(job.getKind()).isEqualTo("FineTuneJob");
    assertThat(job.getMetadata().getName()).isNotBlank().hasSizeLessThanOrEqualTo(52);
    assertThat(job.getStatus()).isNull();
    assertThat(job.getSpec().recipe().method().given()).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void isAllowedByTheSchema(Path manifest) throws IOException {
    JsonNode job = YAML.readTree(manifest.toFile());

    assertThat(FineTuneJobSchema.load().check(job)).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void namesOnlyDeclaredClaimsAndFilesThatAreHere(Path manifest) throws IOException {
    FineTuneJob job = YAML.readValue(manifest.toFile(), FineTuneJob.class);
    Recipe recipe = job.getSpec().recipe();

    assertThat(recipe.model().source()).startsWith("pvc://models/");
    assertThat(recipe.output().destination())
        .as("results of two examples in one folder would be taken for one run")
        .isEqualTo("pvc://results/" + job.getMetadata().getName());
    assertThat(recipe.dataset().train())
        .allSatisfy(source -> assertThat(inExamples(source.source())).isRegularFile());
    if (recipe.dataset().imageFolder() != null) {
      assertThat(inExamples(recipe.dataset().imageFolder())).isDirectory();
    }
  }

  @Test
  void everyClaimOfTheManifestsIsDeclared() throws IOException {
    List<String> declared = new ArrayList<>();
    try (var documents =
        YAML.readerFor(JsonNode.class).readValues(EXAMPLES.resolve("pvc.yaml").toFile())) {
      while (documents.hasNextValue()) {
        JsonNode claim = (JsonNode) documents.nextValue();
        assertThat(claim.path("kind").asText()).isEqualTo("PersistentVolumeClaim");
        assertThat(claim.at("/spec/resources/requests/storage").asText()).isNotEmpty();
        declared.add(claim.at("/metadata/name").asText());
      }
    }

    assertThat(declared).containsExactlyInAnyOrderElementsOf(CLAIMS);
  }

  @Test
  void theQuickstartNeedsNothingButThisFolderAndACpu() throws IOException {
    FineTuneJob job =
        YAML.readValue(EXAMPLES.resolve("quickstart.yaml").toFile(), FineTuneJob.class);

    assertThat(job.getSpec().resources().gpusPerNode()).isZero();
    assertThat(EXAMPLES.resolve("models/tiny-chat/model.safetensors"))
        .isRegularFile()
        .satisfies(weights -> assertThat(Files.size(weights)).isLessThan(3_000_000));
  }

  @Test
  void theReadmeNamesEveryManifest() throws IOException {
    String readme = Files.readString(EXAMPLES.resolve("README.md"));

    assertThat(manifests())
        .isNotEmpty()
        .allSatisfy(manifest -> assertThat(readme).contains("`" + manifest.getFileName() + "`"));
  }

  /** Where a location lies here: the claims are filled from this folder. */
  private static Path inExamples(String location) {
    return EXAMPLES.resolve(location.substring("pvc://".length()));
  }

  private static List<Path> files(Predicate<Path> wanted) {
    try (Stream<Path> paths = Files.walk(EXAMPLES)) {
      return paths.filter(Files::isRegularFile).filter(wanted).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
