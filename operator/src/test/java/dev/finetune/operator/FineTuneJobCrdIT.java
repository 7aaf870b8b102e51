package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.schema.FineTuneJobSchema;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.Manifests;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The CRD on a real API server: what it accepts, what it refuses, and what it fills in. */
class FineTuneJobCrdIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final PatchContext MERGE = PatchContext.of(PatchType.JSON_MERGE);

  private static String namespace;

  @BeforeAll
  static void createNamespace() {
    namespace = API.newNamespace();
  }

  static Stream<Path> accepted() {
    return Stream.concat(Manifests.named("valid-"), Manifests.examples());
  }

  static Stream<Path> refused() {
    return Manifests.named("invalid-");
  }

  @ParameterizedTest
  @MethodSource("accepted")
  void acceptsAndFillsInWhatTheSchemaReaderFillsIn(Path file) throws JsonProcessingException {
    JsonNode manifest = new YAMLMapper().readTree(Manifests.read(file));
    var schema = FineTuneJobSchema.load();

    JsonNode stored = create(Manifests.read(file));

    assertThat(schema.check(manifest)).isEmpty();
    assertThat(Manifests.canonical(stored.get("spec")))
        .isEqualTo(Manifests.canonical(schema.withDefaults(manifest).get("spec")));
    assertThat(Serialization.unmarshal(stored.toString(), FineTuneJob.class).getSpec().recipe())
        .as("what the operator reads")
        .isNotNull();
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refusesAndNamesTheField(Path file) {
    String manifest = Manifests.read(file);

    var refusal = catchThrowableOfType(KubernetesClientException.class, () -> create(manifest));

    assertThat(refusal).as("refusal").isNotNull();
    assertThat(refusal.getMessage()).contains(Manifests.expectations(manifest));
  }

  @Test
  void refusesMoreThanTwelveKindsOfMistakes() {
    assertThat(refused()).hasSizeGreaterThan(12);
  }

  @Test
  void keepsTheRecipeAsItIsOnceAnAttemptHasStarted() {
    create(minimal("edited"));
    var job = jobs().withName("edited");
    String moreEpochs = "{\"spec\": {\"recipe\": {\"training\": {\"epochs\": %d}}}}";

    job.patch(MERGE, moreEpochs.formatted(4));
    job.subresource("status")
        .patch(MERGE, "{\"status\": {\"attempts\": [{\"number\": 1, \"outcome\": \"Running\"}]}}");

    assertThatThrownBy(() -> job.patch(MERGE, moreEpochs.formatted(5)))
        .isInstanceOf(KubernetesClientException.class)
        .hasMessageContaining("spec.recipe is immutable once the first attempt has started");
    job.patch(MERGE, "{\"spec\": {\"retry\": {\"maxRestarts\": 7}, \"suspend\": true}}");
    JsonNode stored = tree(job.get());
    assertThat(stored.at("/spec/recipe/training/epochs").asInt()).isEqualTo(4);
    assertThat(stored.at("/spec/retry/maxRestarts").asInt()).isEqualTo(7);
  }

  @Test
  void keepsItsController() {
    create(minimal("controlled"));
    var job = jobs().withName("controlled");

    assertThatThrownBy(
            () -> job.patch(MERGE, "{\"spec\": {\"managedBy\": \"example.com/another\"}}"))
        .isInstanceOf(KubernetesClientException.class)
        .hasMessageContaining("managedBy is immutable");
  }

  @Test
  void isAStatusSubresource() {
    create(minimal("status"));
    var job = jobs().withName("status");

    job.patch(MERGE, "{\"status\": {\"phase\": \"Succeeded\"}}");
    assertThat(tree(job.get()).has("status")).isFalse();

    job.subresource("status")
        .patch(MERGE, "{\"status\": {\"phase\": \"Running\"}, \"spec\": {\"suspend\": true}}");
    assertThat(tree(job.get()).at("/status/phase").asText()).isEqualTo("Running");
    assertThat(tree(job.get()).get("spec").has("suspend")).isFalse();
  }

  @Test
  void printsTheColumnsThatKubectlGetShows() throws JsonProcessingException {
    create(minimal("columns"));
    jobs()
        .withName("columns")
        .subresource("status")
        .patch(
            MERGE,
            """
            {"status": {
              "phase": "Running", "message": "Pod columns-1-0 trains",
              "training": {"epochText": "2.4/5", "step": 1200, "loss": 1.23, "evalLoss": 1.31},
              "checkpoints": {"latest": {"location": "pvc://results/checkpoint-1000"}}}}
            """);

    JsonNode table = table("columns");

    assertThat(columns(table, 0))
        .containsExactly("Name", "PHASE", "EPOCH", "STEP", "LOSS", "GPUS", "AGE");
    assertThat(columns(table, 1)).containsExactly("NODES", "EVAL-LOSS", "CHECKPOINT", "MESSAGE");
    assertThat(table.at("/rows/0/cells"))
        .extracting(JsonNode::asText)
        .startsWith("columns", "Running", "2.4/5", "1200", "1.23", "1")
        .endsWith("1", "1.31", "pvc://results/checkpoint-1000", "Pod columns-1-0 trains");
  }

  @Test
  void staysBelowAHundredKilobytesAsTheApiServerStoresIt() {
    var crd = API.crd().get();

    assertThat(crd.getSpec().getNames().getShortNames()).containsExactly("ftj");
    assertThat(Serialization.asJson(crd).getBytes(StandardCharsets.UTF_8).length)
        .isLessThan(100_000);
  }

  private static JsonNode create(String manifest) {
    GenericKubernetesResource job =
        Serialization.unmarshal(manifest, GenericKubernetesResource.class);
    job.getMetadata().setNamespace(null);
    return tree(jobs().resource(job).fieldValidation(FieldValidateable.Validation.STRICT).create());
  }

  private static String minimal(String name) {
    return Manifests.read(Path.of("src/test/resources/manifests/valid-minimal.yaml"))
        .replace("name: minimal", "name: " + name);
  }

  private static NonNamespaceOperation<
          GenericKubernetesResource, ?, Resource<GenericKubernetesResource>>
      jobs() {
    return API.client()
        .genericKubernetesResources("finetune.dev/v1alpha1", "FineTuneJob")
        .inNamespace(namespace);
  }

  /** What the API server answers to kubectl get. */
  private static JsonNode table(String name) throws JsonProcessingException {
    var http = API.client().getHttpClient();
    var request =
        http.newHttpRequestBuilder()
            .uri(
                API.client().getMasterUrl()
                    + "apis/finetune.dev/v1alpha1/namespaces/"
                    + namespace
                    + "/finetunejobs/"
                    + name)
            .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
            .build();
    return JSON.readTree(http.sendAsync(request, String.class).join().body());
  }

  private static Stream<String> columns(JsonNode table, int priority) {
    return Stream.iterate(0, i -> i < table.get("columnDefinitions").size(), i -> i + 1)
        .map(i -> table.get("columnDefinitions").get(i))
        .filter(column -> column.get("priority").asInt() == priority)
        .map(column -> column.get("name").asText());
  }

  private static JsonNode tree(GenericKubernetesResource job) {
    return JSON.valueToTree(job);
  }
}
