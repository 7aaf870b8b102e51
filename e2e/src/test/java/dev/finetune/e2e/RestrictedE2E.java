package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.OperatorRelease;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How little both programs need to be allowed. */
class RestrictedE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void operatorAndTrainerRunWhereTheRestrictedLevelIsEnforced() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("restricted"));

    jobs.awaitPhase("restricted", Phase.SUCCEEDED);

    for (String each : new String[] {namespace.name(), OperatorRelease.NAMESPACE}) {
      assertThat(CLUSTER.client().namespaces().withName(each).get().getMetadata().getLabels())
          .containsEntry("pod-security.kubernetes.io/enforce", "restricted");
    }
    assertThat(CLUSTER.operator().logs().lines())
        .filteredOn(line -> line.contains("is forbidden") || line.contains("code=403"))
        .as("refused, and not because another test's namespace is on its way out")
        .allMatch(line -> line.contains("is being terminated"));
  }

  @Test
  void aPodThatAsksForMoreIsRefusedInTheApiServersWords() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("host").spec("pod: {template: {spec: {hostNetwork: true}}}"));

    FineTuneJobStatus refused =
        jobs.awaitStatus(
            "host", status -> assertThat(status.message()).contains("violates PodSecurity"));

    assertThat(refused.phase()).isEqualTo(Phase.PENDING);
    assertThat(refused.message()).contains("hostNetwork");
  }
}
