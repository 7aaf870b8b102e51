package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.Disturbances;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Trainers that run for too long or get nowhere. */
class DeadlineE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void anActiveDeadlineEndsTheJobAfterACheckpoint() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("too-long"));
    jobs.awaitCheckpoint("too-long");

    jobs.patch("too-long", "{\"spec\":{\"deadlines\":{\"activeSeconds\":1}}}");

    FineTuneJobStatus failed = jobs.awaitPhase("too-long", Phase.FAILED);
    assertThat(FineTuneJobs.condition(failed, "Failed").getReason())
        .isEqualTo("ActiveDeadlineExceeded");
    assertThat(failed.message()).contains("spec.deadlines.activeSeconds");
    assertThat(failed.attempts()).hasSize(1);
    jobs.awaitNoPods("too-long");
    assertThat(failed.checkpoints().latest().step()).isEqualTo(failed.training().step());
    assertThat(namespace.results().resolve("too-long/checkpoint-" + failed.training().step()))
        .isDirectory();
  }

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void aTrainerThatHangsIsEndedAndTheNextAttemptGoesOn() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(
        Manifest.endless("hangs")
            .spec("pod: {template: {spec: {terminationGracePeriodSeconds: 2}}}"));
    jobs.awaitCheckpoint("hangs");

    CLUSTER.disturbances().signal(jobs.pod("hangs", 1), "trainer", "STOP");
    jobs.patch("hangs", "{\"spec\":{\"deadlines\":{\"stallSeconds\":5}}}");
    jobs.awaitStatus(
        "hangs",
        now -> assertThat(now.attempts().get(0).reason()).isEqualTo(ConditionReason.Stalled));
    // The next attempt may need longer than that until its first step.
    jobs.patch("hangs", "{\"spec\":{\"deadlines\":{\"stallSeconds\":1800}}}");

    FineTuneJobStatus status = jobs.awaitAttempt("hangs", 2);
    Attempt stalled = status.attempts().get(0);
    assertThat(stalled.outcome()).isEqualTo(AttemptOutcome.Failed);
    assertThat(stalled.reason()).isEqualTo(ConditionReason.Stalled);
    assertThat(status.failedAttempts()).isEqualTo(1);
    assertThat(FineTuneJobs.last(status).resumedFromStep()).isPositive();
  }
}
