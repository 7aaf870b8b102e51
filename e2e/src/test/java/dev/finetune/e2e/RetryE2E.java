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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A trainer that dies of itself. */
class RetryE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void aCrashIsCountedAndTheNextAttemptGoesOnFromTheNewestCheckpoint() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("crashes").spec("retry: {maxRestarts: 1, backoffSeconds: 1}"));
    jobs.awaitCheckpoint("crashes");

    CLUSTER.disturbances().signal(jobs.pod("crashes", 1), "trainer", "SEGV");

    FineTuneJobStatus status = jobs.awaitAttempt("crashes", 2);
    Attempt crashed = status.attempts().get(0);
    assertThat(crashed.outcome()).isEqualTo(AttemptOutcome.Failed);
    assertThat(crashed.reason()).isEqualTo(ConditionReason.UnknownExit);
    // As process 1 of its container a JVM can't end by SIGABRT, so abort() ends it with this.
    assertThat(crashed.exitCode()).isEqualTo(127);
    assertThat(crashed.log()).contains("SIGSEGV");
    assertThat(crashed.lostSteps()).isBetween(0, 20);
    assertThat(status.failedAttempts()).isEqualTo(1);
    assertThat(FineTuneJobs.last(status).resumedFromStep()).isPositive();
    assertThat(FineTuneJobs.last(status).resumedFromStep() % 20).isZero();
  }
}
