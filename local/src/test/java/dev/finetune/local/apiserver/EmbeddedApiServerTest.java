package dev.finetune.local.apiserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EmbeddedApiServerTest {
  private EmbeddedApiServer server;
  private KubernetesClient client;

  @BeforeEach
  void start() {
    server = EmbeddedApiServer.start(0);
    client = server.client();
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  @Test
  void anAppliedJobHasTheDefaultsOfTheSchemaAndGeneratedMetadata() {
    GenericKubernetesResource job = apply(manifest("epochs: 2"));

    assertThat(job.getMetadata().getUid()).isNotBlank();
    assertThat(job.getMetadata().getCreationTimestamp()).isNotBlank();
    assertThat(job.getMetadata().getGeneration()).isEqualTo(1);
    assertThat(job.<Integer>get("spec", "recipe", "training", "epochs")).isEqualTo(2);
    assertThat(job.<Integer>get("spec", "retry", "maxRestarts")).isEqualTo(3);
  }

  @Test
  void aJobThatBreaksTheSchemaIsRefusedAndEveryFaultIsNamed() {
    assertThatThrownBy(() -> apply(manifest("epochs: 0, learningRte: 1.0e-3")))
        .isInstanceOfSatisfying(
            KubernetesClientException.class,
            refused -> {
              assertThat(refused.getCode()).isEqualTo(422);
              assertThat(refused.getStatus().getReason()).isEqualTo("Invalid");
              assertThat(refused.getStatus().getMessage())
                  .startsWith("FineTuneJob.finetune.dev \"tune\" is invalid: [")
                  .contains("spec.recipe.training.epochs: ")
                  .contains("spec.recipe.training.learningRte: ")
                  .contains("learningRate");
              assertThat(refused.getStatus().getDetails().getCauses())
                  .extracting("field")
                  .containsExactlyInAnyOrder(
                      "spec.recipe.training.epochs", "spec.recipe.training.learningRte");
            });
  }

  @Test
  void theRecipeOfAStartedJobCannotBeChanged() {
    apply(manifest("epochs: 2"));
    applyStatus("{attempts: [{number: 1}]}");

    assertThatThrownBy(() -> apply(manifest("epochs: 3")))
        .hasMessageContaining("spec.recipe is immutable once the first attempt has started");
  }

  @Test
  void anotherSpecIsAnotherGenerationAndAnotherStatusIsNot() {
    apply(manifest("epochs: 2"));

    assertThat(applyStatus("{phase: Running}").getMetadata().getGeneration()).isEqualTo(1);
    GenericKubernetesResource changed = apply(manifest("epochs: 3"));
    assertThat(changed.getMetadata().getGeneration()).isEqualTo(2);
    assertThat(changed.<String>get("status", "phase")).isEqualTo("Running");
  }

  @Test
  void anAppliedListReplacesTheOneBefore() {
    apply(manifest("epochs: 2"));
    applyStatus("{epochs: [{epoch: 1}]}");

    GenericKubernetesResource job = applyStatus("{epochs: [{epoch: 1}, {epoch: 2}]}");

    assertThat(job.<List<Object>>get("status", "epochs")).hasSize(2);
  }

  @Test
  void applyingTheSameAgainWritesNothing() {
    String version = apply(manifest("epochs: 2")).getMetadata().getResourceVersion();

    assertThat(apply(manifest("epochs: 2")).getMetadata().getResourceVersion()).isEqualTo(version);
  }

  @Test
  void aStatusComputedFromAnOlderStateIsAConflict() {
    String old = apply(manifest("epochs: 2")).getMetadata().getResourceVersion();
    apply(manifest("epochs: 3"));

    assertThatThrownBy(() -> applyStatus("{phase: Running}", old))
        .isInstanceOfSatisfying(
            KubernetesClientException.class, e -> assertThat(e.getCode()).isEqualTo(409));
  }

  @Test
  void aMergePatchReplacesListsAndRemovesNulls() {
    ConfigMap map = client.resource(configMap("settings", Map.of("a", "1", "b", "2"))).create();

    ConfigMap patched =
        client
            .resource(map)
            .patch(
                PatchContext.of(PatchType.JSON_MERGE), "{\"data\": {\"a\": null, \"b\": \"3\"}}");

    assertThat(patched.getData()).containsExactly(Map.entry("b", "3"));
  }

  @Test
  void childrenGoWithTheirOwnerAndWithTheOwnersOwner() {
    ConfigMap owner = client.resource(configMap("owner", Map.of())).create();
    ConfigMap child = client.resource(ownedBy(owner, "child")).create();
    client.resource(ownedBy(child, "grandchild")).create();
    client.resource(configMap("stranger", Map.of())).create();

    client.resource(owner).delete();

    assertThat(client.configMaps().inNamespace("default").list().getItems())
        .extracting(map -> map.getMetadata().getName())
        .containsExactly("stranger");
  }

  @Test
  void aChildOfAnOwnerThatIsGoneIsCollected() {
    ConfigMap owner = client.resource(configMap("owner", Map.of())).create();
    client.resource(owner).delete();

    client.resource(ownedBy(owner, "late")).create();

    assertThat(client.configMaps().inNamespace("default").withName("late").get()).isNull();
  }

  @Test
  void aRunningPodIsMarkedAndGoesWhenItsNodeSaysSo() {
    Pod pod = client.resource(pod("runner")).create();
    pod.getSpec().setNodeName("local");
    client.resource(pod).update();

    client.resource(pod).delete();

    Pod marked = client.resource(pod).get();
    assertThat(marked.getMetadata().getDeletionTimestamp()).isNotBlank();
    assertThat(marked.getMetadata().getDeletionGracePeriodSeconds()).isEqualTo(7);
    client.resource(pod).withGracePeriod(0).delete();
    assertThat(client.resource(pod).get()).isNull();
  }

  @Test
  void aPodWithoutANodeIsRemovedAtOnce() {
    Pod pod = client.resource(pod("pending")).create();

    client.resource(pod).delete();

    assertThat(client.resource(pod).get()).isNull();
  }

  private GenericKubernetesResource apply(String manifest) {
    return client
        .genericKubernetesResources("finetune.dev/v1alpha1", "FineTuneJob")
        .inNamespace("default")
        .resource(Serialization.unmarshal(manifest, GenericKubernetesResource.class))
        .serverSideApply();
  }

  private GenericKubernetesResource applyStatus(String status) {
    return applyStatus(status, null);
  }

  private GenericKubernetesResource applyStatus(String status, String resourceVersion) {
    String manifest =
        """
        apiVersion: finetune.dev/v1alpha1
        kind: FineTuneJob
        metadata: {name: tune%s}
        status: %s
        """
            .formatted(
                resourceVersion == null ? "" : ", resourceVersion: \"" + resourceVersion + "\"",
                status);
    return client
        .genericKubernetesResources("finetune.dev/v1alpha1", "FineTuneJob")
        .inNamespace("default")
        .resource(Serialization.unmarshal(manifest, GenericKubernetesResource.class))
        .subresource("status")
        .patch(PatchContext.of(PatchType.SERVER_SIDE_APPLY));
  }

  private static String manifest(String training) {
    return """
        apiVersion: finetune.dev/v1alpha1
        kind: FineTuneJob
        metadata: {name: tune}
        spec:
          recipe:
            model: {source: pvc://models/tiny}
            dataset: {train: [{source: pvc://data/rows.json}]}
            method: {lora: {rank: 4}}
            training: {%s}
            output: {destination: pvc://results/tune}
        """
        .formatted(training);
  }

  private static ConfigMap configMap(String name, Map<String, String> data) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace("default")
        .endMetadata()
        .withData(data)
        .build();
  }

  private static ConfigMap ownedBy(ConfigMap owner, String name) {
    return new ConfigMapBuilder(configMap(name, Map.of()))
        .editMetadata()
        .withOwnerReferences(
            new OwnerReferenceBuilder()
                .withApiVersion("v1")
                .withKind("ConfigMap")
                .withName(owner.getMetadata().getName())
                .withUid(owner.getMetadata().getUid())
                .build())
        .endMetadata()
        .build();
  }

  private static Pod pod(String name) {
    return new PodBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace("default")
        .endMetadata()
        .withNewSpec()
        .withTerminationGracePeriodSeconds(7L)
        .addNewContainer()
        .withName("main")
        .withImage("host")
        .endContainer()
        .endSpec()
        .build();
  }
}
