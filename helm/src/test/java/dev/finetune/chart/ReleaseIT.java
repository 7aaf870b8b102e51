package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What Helm does with the CRD and with jobs, from the first installation to the last. */
class ReleaseIT {
  @RegisterExtension
  static final KubeApiServer API =
      new KubeApiServer("--enable-admission-plugins", "OwnerReferencesPermissionEnforcement");

  /** A field that the older CRD doesn't have. */
  private static final String NEWER_FIELD =
      "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/managedBy";

  /** Largest object that etcd takes, by default. */
  private static final int LARGEST_SECRET = 1 << 20;

  @Test
  void doesNotTakeACrdThatSomebodyElseBrought() {
    String namespace = API.newNamespace();

    assertThatThrownBy(() -> install(Chart.ofTests(), namespace))
        .hasMessageContainingAll(
            "CustomResourceDefinition \"finetunejobs.finetune.dev\"",
            "cannot be imported into the current release");
  }

  @Test
  void upgradesTheCrdKeepsItOnUninstallAndFindsItAgainAndNoJobIsTouched() throws IOException {
    String namespace = API.newNamespace();
    adoptCrd(namespace);
    Installation release = install(older(), namespace);
    assertThat(crd().at(NEWER_FIELD).isMissingNode()).isTrue();
    FineTuneJob job = new FineTuneJobs(API.client(), namespace).apply("running");

    release.upgrade(Chart.ofTests());
    assertThat(crd().at(NEWER_FIELD).isMissingNode()).isFalse();
    assertThat(version(job)).isEqualTo(job.getMetadata().getResourceVersion());
    assertThat(releaseSecrets(namespace))
        .hasSize(2)
        .allSatisfy(size -> assertThat(size).isBetween(1_000, LARGEST_SECRET / 4));

    release.close();
    assertThat(API.client().apps().deployments().inNamespace(namespace).list().getItems())
        .isEmpty();
    assertThat(crd().at(NEWER_FIELD).isMissingNode()).isFalse();
    assertThat(version(job)).isEqualTo(job.getMetadata().getResourceVersion());

    install(Chart.ofTests(), namespace).close();
    assertThat(version(job)).isEqualTo(job.getMetadata().getResourceVersion());
  }

  private static Installation install(Chart chart, String namespace) {
    return Installation.of(API, chart, namespace, "userRoles: {create: false}");
  }

  /** This chart with the CRD of an earlier version. */
  private static Chart older() throws IOException {
    Path module = Files.createTempDirectory(Path.of("target"), "older-");
    var older = new Chart(module);
    Path folder = Chart.ofTests().folder();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.toList()) {
        Files.copy(file, older.folder().resolve(folder.relativize(file).toString()));
      }
    }
    Path crd = Path.of("files", KubeApiServer.CRD.getFileName().toString());
    Files.copy(
        Path.of("src/test/resources/older-crd.yml"),
        older.folder().resolve(crd),
        StandardCopyOption.REPLACE_EXISTING);
    return older;
  }

  /** The commands of docs/operations.md for a CRD that was applied by hand. */
  private static void adoptCrd(String namespace) {
    API.crd()
        .edit(
            crd -> {
              crd.getMetadata().setLabels(Map.of("app.kubernetes.io/managed-by", "Helm"));
              crd.getMetadata()
                  .setAnnotations(
                      Map.of(
                          "meta.helm.sh/release-name",
                          Chart.RELEASE,
                          "meta.helm.sh/release-namespace",
                          namespace));
              return crd;
            });
  }

  private static JsonNode crd() {
    return Chart.parse(Serialization.asJson(API.crd().get())).get(0);
  }

  private static String version(FineTuneJob job) {
    return API.client().resource(job).get().getMetadata().getResourceVersion();
  }

  private static Stream<Integer> releaseSecrets(String namespace) {
    return API.client().secrets().inNamespace(namespace).list().getItems().stream()
        .filter(secret -> secret.getType().equals("helm.sh/release.v1"))
        .map(Serialization::asJson)
        .map(String::length);
  }
}
