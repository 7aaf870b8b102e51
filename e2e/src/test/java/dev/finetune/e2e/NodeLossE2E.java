package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.e2e.harness.Disturbances;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A power cut: the node's processes are gone, and nobody tells the API server. */
@Tag(Disturbances.OWN_CLUSTER)
class NodeLossE2E {
  /** The node is missed, its pods are marked, their grace period passes, and half a minute more. */
  private static final Duration PATIENCE = Duration.ofMinutes(8);

  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void theJobGoesOnFromItsCheckpointOnTheOtherNodeWhileTheDeadNodesPodLingers() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(
        Manifest.endless("survivor")
            .spec("pod: {template: {spec: {terminationGracePeriodSeconds: 5}}}"));
    jobs.awaitCheckpoint("survivor");
    Pod lost = jobs.pod("survivor", 1);
    String node = lost.getSpec().getNodeName();
    FineTuneJobStatus status;

    CLUSTER.disturbances().killNode(node);
    try {
      status = jobs.awaitAttempt("survivor", 2, PATIENCE);

      Attempt disrupted = status.attempts().get(0);
      assertThat(disrupted.outcome()).isEqualTo(AttemptOutcome.Interrupted);
      assertThat(disrupted.reason()).isEqualTo(ConditionReason.Disrupted);
      assertThat(disrupted.node()).isEqualTo(node);
      assertThat(disrupted.lostSteps()).isNotNegative();
      assertThat(status.failedAttempts()).isZero();
      Attempt next = FineTuneJobs.last(status);
      assertThat(next.node()).isNotEqualTo(node);
      assertThat(next.resumedFromStep()).isPositive();
      assertThat(jobs.pod("survivor", 1).getMetadata().getUid())
          .isEqualTo(lost.getMetadata().getUid());
    } finally {
      CLUSTER.disturbances().startNode(node);
    }

    namespace.await(
        "the dead node's pod vanishes",
        () -> jobs.pods("survivor"),
        pods ->
            assertThat(pods)
                .extracting(pod -> pod.getMetadata().getUid())
                .doesNotContain(lost.getMetadata().getUid()));
    int step = status.training().step();
    FineTuneJobStatus later =
        jobs.awaitStatus(
            "survivor", now -> assertThat(now.training().step()).isGreaterThan(step + 20));
    assertThat(later.attempts()).hasSize(2);
    assertThat(later.checkpoints().latest().step()).isGreaterThan(step - 20);
    assertThat(namespace.results().resolve("survivor"))
        .isDirectoryContaining(file -> file.getFileName().toString().matches("checkpoint-\\d+"));
  }
}
