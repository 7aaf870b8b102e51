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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code helm upgrade} from a release with an older CRD. */
class UpgradeE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  private static final String CRD = "finetunejobs.finetune.dev-v1.yml";
  private static final String NEW_FIELD = "ttlSecondsAfterFinished";

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @AfterEach
  void leaveThisBuildForTheNextTest() {
    CLUSTER.operator().install();
  }

  @Test
  void leavesARunningJobAloneAndBringsTheNewFields() throws IOException {
    CLUSTER.operator().install(older());
    assertThat(specFields()).doesNotContainKey(NEW_FIELD);
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("running"));
    int step = jobs.awaitCheckpoint("running").training().step();
    Pod pod = jobs.pod("running", 1);

    CLUSTER.operator().install();

    assertThat(specFields()).containsKey(NEW_FIELD);
    FineTuneJobStatus status = jobs.awaitStep("running", step + 50);
    assertThat(status.attempts()).hasSize(1);
    assertThat(jobs.pods("running"))
        .extracting(each -> each.getMetadata().getUid())
        .containsExactly(pod.getMetadata().getUid());
    assertThat(jobs.get("running").getMetadata().getGeneration()).isEqualTo(1);
    jobs.apply(Manifest.tiny("newer").spec(NEW_FIELD + ": 3600"));
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

  /** This build's chart with a CRD that doesn't know the new field yet. */
  private static Path older() throws IOException {
    Path chart = CLUSTER.operator().chart();
    Path older = Files.createTempDirectory(Path.of("target"), "chart-").resolve("older");
    try (Stream<Path> files = Files.walk(chart)) {
      for (Path file : files.toList()) {
        Files.copy(file, older.resolve(chart.relativize(file).toString()));
      }
    }
    Path crd = older.resolve("files").resolve(CRD);
    Files.write(crd, withoutNewField(Files.readAllLines(crd)));
    return older;
  }

  /** As text, since the chart's template relies on the form of the file. */
  private static List<String> withoutNewField(List<String> lines) {
    var left = new ArrayList<>(lines);
    int start = IntStream.range(0, left.size()).filter(isNewField(left)).findFirst().orElseThrow();
    int end = start + 1;
    while (indent(left.get(end)) > indent(left.get(start))) {
      end++;
    }
    left.subList(start, end).clear();
    return left;
  }

  private static IntPredicate isNewField(List<String> lines) {
    return i -> lines.get(i).strip().equals(NEW_FIELD + ":");
  }

  private static int indent(String line) {
    return line.length() - line.stripLeading().length();
  }
}
