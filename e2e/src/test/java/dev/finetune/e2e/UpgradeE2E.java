package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code helm upgrade} from a release with an older CRD. */
class UpgradeE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  private static final String CRD = "finetunejobs.finetune.dev-v1.yml";
  private static final Path OLDER_CRD = Path.of("../helm/src/test/resources/older-crd.yml");

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void leavesARunningJobAloneAndBringsTheNewFields() throws IOException {
    CLUSTER.operator().install(older());
    assertThat(specFields()).doesNotContainKey("managedBy");
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("running"));
    int step = jobs.awaitCheckpoint("running").training().step();
    Pod pod = jobs.pod("running", 1);

    CLUSTER.operator().install();

    assertThat(specFields()).containsKey("managedBy");
    FineTuneJobStatus status = jobs.awaitStep("running", step + 50);
    assertThat(status.attempts()).hasSize(1);
    assertThat(jobs.pods("running"))
        .extracting(each -> each.getMetadata().getUid())
        .containsExactly(pod.getMetadata().getUid());
    assertThat(jobs.get("running").getMetadata().getGeneration()).isEqualTo(1);
    jobs.apply(Manifest.tiny("newer").spec("managedBy: finetune.dev/operator"));
    jobs.awaitPhase("newer", Phase.SUCCEEDED);
  }

  private static Map<String, JSONSchemaProps> specFields() {
    return CLUSTER
        .client()
        .apiextensions()
        .v1()
        .customResourceDefinitions()
        .withName("finetunejobs.finetune.dev")
        .get()
        .getSpec()
        .getVersions()
        .get(0)
        .getSchema()
        .getOpenAPIV3Schema()
        .getProperties()
        .get("spec")
        .getProperties();
  }

  /** This build's chart with the CRD of an earlier version. */
  private static Path older() throws IOException {
    Path chart = CLUSTER.operator().chart();
    Path older = Files.createTempDirectory(Path.of("target"), "chart-").resolve("older");
    try (Stream<Path> files = Files.walk(chart)) {
      for (Path file : files.toList()) {
        Files.copy(file, older.resolve(chart.relativize(file).toString()));
      }
    }
    Files.copy(OLDER_CRD, older.resolve("files").resolve(CRD), StandardCopyOption.REPLACE_EXISTING);
    return older;
  }
}
