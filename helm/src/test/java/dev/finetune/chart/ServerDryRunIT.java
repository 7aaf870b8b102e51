package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.operator.support.KubeApiServer;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code kubectl apply --dry-run=server --validate=strict} says to all that is rendered. */
class ServerDryRunIT {
  @RegisterExtension
  static final KubeApiServer API =
      new KubeApiServer("--enable-admission-plugins", "OwnerReferencesPermissionEnforcement");

  private static final Path STUBS = Path.of("src/test/resources/stub-crds");

  @BeforeAll
  static void prepareCluster() throws IOException {
    for (String name : List.of(Chart.NAMESPACE, "team-a", "team-b")) {
      API.client()
          .resource(
              new NamespaceBuilder()
                  .withNewMetadata()
                  .withName(name)
                  .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                  .endMetadata()
                  .build())
          .create();
    }
    try (Stream<Path> stubs = Files.list(STUBS)) {
      for (Path stub : stubs.toList()) {
        API.client().load(Files.newInputStream(stub)).create();
      }
    }
    Awaitility.await("the stub CRDs are served")
        .atMost(Duration.ofMinutes(1))
        .ignoreExceptions()
        .until(
            () ->
                API.client()
                        .genericKubernetesResources("monitoring.coreos.com/v1", "PrometheusRule")
                        .inAnyNamespace()
                        .list()
                    != null);
  }

  @ParameterizedTest
  @MethodSource("dev.finetune.chart.Variant#all")
  void takesAllThatIsRendered(Variant variant) {
    List<JsonNode> objects = Chart.ofTests().objects(variant.values());

    assertThat(objects).extracting(each -> each.get("kind").asText()).contains("Deployment");
    for (JsonNode object : objects) {
      var desired = Serialization.unmarshal(object.toString(), GenericKubernetesResource.class);
      assertThat(apply(desired))
          .as(desired.getKind() + " " + desired.getMetadata().getName())
          .isNotNull();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.finetune.chart.Variant#all")
  void takesThePodWhereTheRestrictedLevelIsEnforced(Variant variant) {
    JsonNode deployment = Chart.ofTests().object(variant.values(), "Deployment");
    Deployment desired = Serialization.unmarshal(deployment.toString(), Deployment.class);
    PodTemplateSpec template = desired.getSpec().getTemplate();
    // Looked up while a pod is admitted, and not there.
    template.getSpec().setPriorityClassName(null);
    Pod pod =
        new PodBuilder()
            .withMetadata(template.getMetadata())
            .editMetadata()
            .withName("operator")
            .withNamespace(Chart.NAMESPACE)
            .endMetadata()
            .withSpec(template.getSpec())
            .build();

    assertThat(apply(pod).getSpec().getContainers()).hasSize(1);

    pod.getSpec().getContainers().get(0).getSecurityContext().setAllowPrivilegeEscalation(true);
    assertThatThrownBy(() -> apply(pod)).hasMessageContaining("violates PodSecurity");
  }

  private static <T extends HasMetadata> T apply(T desired) {
    return API.client()
        .resource(desired)
        .dryRun()
        .fieldValidation(Validation.STRICT)
        .fieldManager("helm")
        .forceConflicts()
        .serverSideApply();
  }
}
