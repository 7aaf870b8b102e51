package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job that gives its GPUs away and goes on later. */
class SuspendE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void savesAndFreesItsGpusForAnotherJobAndGoesOnFromTheSameStep() {
    FineTuneJobs jobs = namespace.jobs();
    String allGpusOfOneNode =
        """
        resources: {gpusPerNode: 4}
        pod: {nodeSelector: {kubernetes.io/hostname: %s}}
        """
            .formatted(CLUSTER.nodes().get(0));
    jobs.apply(Manifest.endless("first").spec(allGpusOfOneNode));
    jobs.awaitCheckpoint("first");
    jobs.apply(Manifest.tiny("second").spec(allGpusOfOneNode));
    jobs.awaitStatus(
        "second", status -> assertThat(status.message()).contains("Insufficient nvidia.com/gpu"));

    jobs.suspend("first", true);

    FineTuneJobStatus suspended = jobs.awaitPhase("first", Phase.SUSPENDED);
    Attempt ended = FineTuneJobs.last(suspended);
    int savedStep = suspended.checkpoints().latest().step();
    assertThat(ended.outcome()).isEqualTo(AttemptOutcome.Interrupted);
    assertThat(ended.reason()).isEqualTo(ConditionReason.SuspendRequested);
    assertThat(ended.exitCode()).isEqualTo(75);
    assertThat(ended.lostSteps()).isZero();
    assertThat(suspended.training().step()).isEqualTo(savedStep);
    assertThat(namespace.results().resolve("first/checkpoint-" + savedStep)).isDirectory();
    jobs.awaitNoPods("first");
    jobs.awaitPhase("second", Phase.SUCCEEDED);

    jobs.suspend("first", false);

    FineTuneJobStatus resumed = jobs.awaitAttempt("first", 2);
    assertThat(FineTuneJobs.last(resumed).resumedFromStep()).isEqualTo(savedStep);
    assertThat(resumed.attempts().get(0).lostSteps()).isZero();
    assertThat(resumed.failedAttempts()).isZero();
    jobs.awaitStep("first", savedStep + 1);
  }

  @Test
  void aJobThatIsCreatedSuspendedStartsNothingUntilItIsResumed() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("waits").spec("suspend: true"));
    FineTuneJobStatus suspended = jobs.awaitPhase("waits", Phase.SUSPENDED);
    assertThat(suspended.attempts()).isNullOrEmpty();
    assertThat(jobs.children("waits")).isEmpty();

    jobs.suspend("waits", false);

    assertThat(jobs.awaitPhase("waits", Phase.SUCCEEDED).attempts()).hasSize(1);
  }
}
