package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods that the cluster asks to leave. */
class EvictionE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void anEvictedPodSavesAndTheNextAttemptLosesNoStep() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("evicted"));
    jobs.awaitCheckpoint("evicted");
    Pod pod = jobs.pod("evicted", 1);

    assertThat(CLUSTER.client().pods().resource(pod).evict()).isTrue();

    goesOnWithoutLoss(jobs.awaitAttempt("evicted", 2));
  }

  @Test
  void aDrainedNodeIsLeftForTheOther() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("drained"));
    jobs.awaitCheckpoint("drained");
    String node = jobs.pod("drained", 1).getSpec().getNodeName();
    FineTuneJobStatus status;

    try {
      CLUSTER
          .kubectl()
          .run(
              "drain",
              node,
              "--ignore-daemonsets",
              "--delete-emptydir-data",
              "--pod-selector=" + FineTuneJobs.JOB_LABEL + "=drained",
              "--timeout=5m");
      status = jobs.awaitAttempt("drained", 2);
    } finally {
      CLUSTER.kubectl().run("uncordon", node);
    }

    goesOnWithoutLoss(status);
    assertThat(FineTuneJobs.last(status).node()).isNotEqualTo(node);
  }

  private static void goesOnWithoutLoss(FineTuneJobStatus status) {
    Attempt ended = status.attempts().get(0);
    assertThat(ended.outcome()).isEqualTo(AttemptOutcome.Interrupted);
    assertThat(ended.reason()).isEqualTo(ConditionReason.Disrupted);
    assertThat(ended.exitCode()).isEqualTo(75);
    assertThat(ended.message()).contains("EvictionByEvictionAPI");
    assertThat(ended.lostSteps()).isZero();
    assertThat(status.failedAttempts()).isZero();
    assertThat(FineTuneJobs.last(status).resumedFromStep()).isGreaterThanOrEqualTo(20);
  }
}
