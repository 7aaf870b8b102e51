package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A trainer that needs more memory than its container may use. */
class OutOfMemoryE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void theJobFailsAtOnceAndSaysWhatToRaise() {
    FineTuneJobs jobs = namespace.jobs();
    // Weights fit, the activations of so many rows at once don't.
    jobs.apply(
        Manifest.tiny("hungry")
            .spec("{resources: {memory: 320Mi}, recipe: {training: {batchSize: 238}}}"));

    FineTuneJobStatus failed = jobs.awaitPhase("hungry", Phase.FAILED);

    assertThat(failed.attempts()).hasSize(1);
    Attempt attempt = FineTuneJobs.last(failed);
    assertThat(attempt.reason()).isEqualTo(ConditionReason.OutOfMemory);
    assertThat(attempt.exitCode()).isEqualTo(137);
    assertThat(failed.message()).contains("memory limit", "spec.resources.memory");
    assertThat(FineTuneJobs.condition(failed, "Failed").getReason()).isEqualTo("OutOfMemory");
  }
}
