package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.OperatorRelease;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Arrays;
import java.util.Comparator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code helm uninstall} while a job trains, and an installation afterwards. */
class UninstallE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void keepsCrdJobAndTrainerAndTheNextInstallationGoesOn() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("kept"));
    int step = jobs.awaitCheckpoint("kept").training().step();
    Pod pod = jobs.pod("kept", 1);

    CLUSTER.operator().uninstall();
    try {
      assertThat(
              CLUSTER
                  .client()
                  .apps()
                  .deployments()
                  .inNamespace(OperatorRelease.NAMESPACE)
                  .list()
                  .getItems())
          .isEmpty();
      assertThat(jobs.get("kept").getStatus().training().step()).isGreaterThanOrEqualTo(step);
      int newest = newestCheckpoint();
      namespace.await(
          "the trainer saves another checkpoint without an operator",
          this::newestCheckpoint,
          checkpoint -> assertThat(checkpoint).isGreaterThan(newest));
    } finally {
      CLUSTER.operator().install();
    }

    FineTuneJobStatus status = jobs.awaitStep("kept", step + 50);
    assertThat(status.attempts()).hasSize(1);
    assertThat(jobs.pods("kept"))
        .extracting(each -> each.getMetadata().getUid())
        .containsExactly(pod.getMetadata().getUid());
  }

  private int newestCheckpoint() {
    String[] checkpoints =
        namespace.results().resolve("kept").toFile().list((folder, name) -> isCheckpoint(name));
    return Arrays.stream(checkpoints)
        .map(name -> Integer.valueOf(name.substring(name.indexOf('-') + 1)))
        .max(Comparator.naturalOrder())
        .orElse(0);
  }

  private static boolean isCheckpoint(String name) {
    return name.matches("checkpoint-\\d+");
  }
}
