package dev.finetune.operator.argocd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.FakeTrainer;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.Manifests;
import dev.finetune.operator.support.OperatorProcess;
import dev.finetune.operator.support.TestJobController;
import dev.finetune.operator.support.TestProgress;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A FineTuneJob under Argo CD, on a real API server with the packaged operator: never OutOfSync,
 * never run again, and healthy as its status says.
 */
class ArgoCdIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static final Path SCRIPTS = Path.of("../argocd").resolve(ArgoCdFile.SCRIPTS);
  private static final Path MINIMAL = Path.of("src/test/resources/manifests/valid-minimal.yaml");
  private static final Path NULLS = MINIMAL.resolveSibling("valid-nulls.yaml");
  private static final ObjectMapper JSON = new ObjectMapper();

  private static String namespace;
  private static ArgoCd argoCd;
  private static FineTuneJobs jobs;
  private static TestJobController cluster;
  private static OperatorProcess operator;

  @BeforeAll
  static void startOperator() {
    namespace = API.newNamespace();
    argoCd = new ArgoCd(API.client(), namespace);
    jobs = new FineTuneJobs(API.client(), namespace);
    cluster = new TestJobController(API.client(), namespace);
    operator =
        OperatorProcess.start(
            "argocd",
            API.kubeconfig(),
            Map.of("FINETUNE_LEADER_ELECTION", "false", "FINETUNE_NAMESPACES", namespace));
  }

  @AfterAll
  static void stopOperator() {
    operator.close();
  }

  static Stream<Path> manifests() {
    return Stream.concat(Manifests.named("valid-"), Manifests.examples())
        .filter(file -> !file.endsWith(NULLS.getFileName()));
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void theSchemasDefaultsAreNoDifference(Path file) throws JsonProcessingException {
    var elsewhere = new ArgoCd(API.client(), API.newNamespace());
    JsonNode manifest = manifest(Manifests.read(file));

    ArgoCd.Way.CLIENT_SIDE.apply(elsewhere, manifest);

    assertInSync(elsewhere, manifest);
  }

  /** Kubernetes drops a null from what is created or patched, but not from a server-side apply. */
  @Test
  void aNullInAManifestIsNoDifferenceAndIsRefusedByAServerSideApply()
      throws JsonProcessingException {
    var elsewhere = new ArgoCd(API.client(), API.newNamespace());
    JsonNode manifest = manifest(Manifests.read(NULLS));

    ArgoCd.Way.CLIENT_SIDE.apply(elsewhere, manifest);

    assertNoThreeWayDiff(elsewhere.live(manifest), manifest);
    assertThatThrownBy(() -> ArgoCd.Way.SERVER_SIDE.apply(elsewhere, manifest))
        .isInstanceOf(KubernetesClientException.class)
        .hasMessageContaining("spec.suspend in body must be of type boolean: \"null\"");
  }

  @ParameterizedTest
  @EnumSource
  void aJobIsInSyncAllItsLifeAndIsNeverRunAgain(ArgoCd.Way way) throws JsonProcessingException {
    String name = way.name().toLowerCase(Locale.ROOT).replace('_', '-');
    JsonNode manifest = tracked(name);
    way.apply(argoCd, manifest);
    Job first = cluster.awaitJob(name + "-1");
    assertSyncChangesNothing(way, manifest);
    assertThat(health(manifest, "status")).isEqualTo("Progressing");

    try (var trainer = new FakeTrainer()) {
      trainer.says(TestProgress.at(25));
      Pod pod = cluster.start(first, trainer.port());
      jobs.awaitStep(name, 25);
      assertSyncChangesNothing(way, manifest);
      assertThat(health(manifest, "status")).isEqualTo("Progressing");
      assertThat(health(manifest, "message")).isEqualTo("epoch 1.25/2, step 25/40, loss 1.75");

      act("suspend", manifest);
      cluster.awaitNoJob(name + "-1");
      cluster.endPod(pod, TrainerExit.TRY_AGAIN, "saved", TestProgress.at(26));
      cluster.collect(pod);
    }
    jobs.awaitPhase(name, Phase.SUSPENDED);
    assertSyncChangesNothing(way, manifest);
    assertThat(health(manifest, "status")).isEqualTo("Suspended");

    act("resume", manifest);
    Job second = cluster.awaitJob(name + "-2");
    assertSyncChangesNothing(way, manifest);
    cluster.end(
        second, cluster.start(second, 1), TrainerExit.DONE, "done", TestProgress.at(40, 20));
    jobs.awaitPhase(name, Phase.SUCCEEDED);
    assertThat(health(manifest, "status")).isEqualTo("Healthy");
    assertThatNothingRunsAgain(way, manifest, name);
  }

  @Test
  void aRejectedJobIsDegradedUntilItsManifestIsMended() throws JsonProcessingException {
    ObjectNode manifest = tracked("mended");
    manifest.withObject("/spec/resources").put("memory", "lots");
    ArgoCd.Way.SERVER_SIDE.apply(argoCd, manifest);
    jobs.awaitStatus("mended", status -> assertThat(status.phase()).isEqualTo(Phase.PENDING));
    assertThat(health(manifest, "status")).isEqualTo("Degraded");
    assertThat(health(manifest, "message")).contains("spec.resources.memory", "'lots'");

    manifest.withObject("/spec/resources").put("memory", "8Gi");
    ArgoCd.Way.SERVER_SIDE.apply(argoCd, manifest);
    cluster.awaitJob("mended-1");
    jobs.awaitStatus("mended", status -> assertThat(status.observedGeneration()).isEqualTo(2));
    assertThat(health(manifest, "status")).isEqualTo("Progressing");
  }

  @Test
  void theOperatorOwnsTheStatusAndNothingElse() throws JsonProcessingException {
    JsonNode manifest = tracked("owned");
    ArgoCd.Way.SERVER_SIDE.apply(argoCd, manifest);
    cluster.awaitJob("owned-1");
    jobs.awaitStatus("owned", status -> assertThat(status.attempts()).hasSize(1));

    assertThat(jobs.get("owned").getMetadata().getManagedFields())
        .filteredOn(entry -> !entry.getManager().equals(ArgoCd.MANAGER))
        .singleElement()
        .satisfies(
            entry -> {
              assertThat(entry.getSubresource()).isEqualTo("status");
              assertThat(fields(entry)).containsExactly("f:status");
            });
  }

  private static void assertThatNothingRunsAgain(ArgoCd.Way way, JsonNode manifest, String name)
      throws JsonProcessingException {
    JsonNode done = withoutBookkeeping(argoCd.live(manifest));
    API.client().batch().v1().jobs().inNamespace(namespace).withName(name + "-2").delete();
    API.client().configMaps().inNamespace(namespace).withName(name).delete();
    API.client().pods().inNamespace(namespace).withLabel("finetune.dev/job", name).delete();

    way.apply(argoCd, manifest);
    assertThat(withoutBookkeeping(argoCd.live(manifest)))
        .as("after a sync of the same manifest")
        .isEqualTo(done);
    // By the time that a later job has its Job, the earlier ones have had their pass.
    way.apply(argoCd, tracked(name + "-later"));
    cluster.awaitJob(name + "-later-1");
    assertThat(cluster.jobs()).doesNotContain(name + "-1", name + "-2", name + "-3");
    assertThat(withoutBookkeeping(argoCd.live(manifest))).isEqualTo(done);

    jobs.edit(name, "{\"spec\": {\"retry\": {\"maxRestarts\": 7}}}");
    jobs.awaitStatus(name, status -> assertThat(status.observedGeneration()).isEqualTo(4));
    assertThat(health(manifest, "status")).as("after an edit").isEqualTo("Healthy");
    assertThat(cluster.jobs()).doesNotContain(name + "-1", name + "-2", name + "-3");
  }

  /** A server-side apply may note its own time, whatever it changes. */
  private static JsonNode withoutBookkeeping(JsonNode live) {
    ((ObjectNode) live.get("metadata")).remove(List.of("managedFields", "resourceVersion"));
    return live;
  }

  /** What Argo CD's controller does about a job that it sees and heals. */
  private static void assertSyncChangesNothing(ArgoCd.Way way, JsonNode manifest) {
    assertInSync(argoCd, manifest);
    JsonNode before = argoCd.live(manifest);
    way.apply(argoCd, manifest);
    JsonNode after = argoCd.live(manifest);
    assertThat(after.get("spec")).isEqualTo(before.get("spec"));
    assertThat(after.at("/metadata/generation")).isEqualTo(before.at("/metadata/generation"));
  }

  private static void assertInSync(ArgoCd argoCd, JsonNode manifest) {
    JsonNode live = argoCd.live(manifest);
    assertNoThreeWayDiff(live, manifest);
    JsonNode predicted = argoCd.predicted(manifest);
    assertThat(canonical(predicted.get("spec")))
        .as("server-side diff")
        .isEqualTo(canonical(live.get("spec")));
    assertThat(predicted.at("/metadata/generation")).isEqualTo(live.at("/metadata/generation"));
  }

  private static void assertNoThreeWayDiff(JsonNode live, JsonNode manifest) {
    JsonNode desired = withoutNulls(manifest);
    assertThat(canonical(ArgoCd.restricted(live, desired)))
        .as("three-way diff")
        .isEqualTo(canonical(desired));
  }

  private static String health(JsonNode manifest, String field) {
    return LuaScript.read(SCRIPTS.resolve("health.lua"))
        .run(argoCd.live(manifest))
        .path(field)
        .asText();
  }

  /** As Argo CD's API server does for its user: runs the action, and patches what it changed. */
  private static void act(String action, JsonNode manifest) {
    JsonNode changed =
        LuaScript.read(SCRIPTS.resolve("actions/" + action + "/action.lua"))
            .run(argoCd.live(manifest));
    ObjectNode patch = JSON.createObjectNode();
    patch.withObject("/spec").set("suspend", changed.at("/spec/suspend"));
    jobs.edit(manifest.at("/metadata/name").asText(), patch.toString());
  }

  /** A small job with the annotation by which Argo CD knows what it manages. */
  private static ObjectNode tracked(String name) throws JsonProcessingException {
    ObjectNode manifest =
        manifest(Manifests.read(MINIMAL).replace("name: minimal", "name: " + name));
    manifest
        .withObject("/metadata/annotations")
        .put(
            "argocd.argoproj.io/tracking-id",
            "training:finetune.dev/FineTuneJob:" + namespace + "/" + name);
    return manifest;
  }

  private static ObjectNode manifest(String yaml) throws JsonProcessingException {
    return (ObjectNode) new YAMLMapper().readTree(yaml);
  }

  private static JsonNode canonical(JsonNode tree) {
    return Manifests.canonical(tree);
  }

  /** Argo CD takes a null in a manifest for an absent field. */
  private static JsonNode withoutNulls(JsonNode tree) {
    if (tree instanceof ObjectNode object) {
      ObjectNode copy = JSON.createObjectNode();
      object
          .properties()
          .forEach(
              field -> {
                if (!field.getValue().isNull()) {
                  copy.set(field.getKey(), withoutNulls(field.getValue()));
                }
              });
      return copy;
    }
    return tree;
  }

  private static List<String> fields(ManagedFieldsEntry entry) {
    return List.copyOf(entry.getFieldsV1().getAdditionalProperties().keySet());
  }
}
