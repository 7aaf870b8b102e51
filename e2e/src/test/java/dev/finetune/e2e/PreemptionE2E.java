package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.scheduling.v1.PriorityClass;
import io.fabric8.kubernetes.api.model.scheduling.v1.PriorityClassBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job of higher priority takes the GPUs of another. */
class PreemptionE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void theUrgentJobRunsAtOnceAndTheOtherGoesOnAfterIt() {
    FineTuneJobs jobs = namespace.jobs();
    String allGpusOfOneNode =
        """
        resources: {gpusPerNode: 4}
        pod: {nodeSelector: {kubernetes.io/hostname: %s}}
        """
            .formatted(CLUSTER.nodes().get(0));
    PriorityClass urgent = priority();
    CLUSTER.client().resource(urgent).create();
    try {
      jobs.apply(Manifest.endless("patient").spec(allGpusOfOneNode));
      jobs.awaitCheckpoint("patient");

      jobs.apply(
          Manifest.tiny("urgent")
              .spec(allGpusOfOneNode)
              .spec("pod: {priorityClassName: %s}".formatted(urgent.getMetadata().getName())));

      jobs.awaitPhase("urgent", Phase.SUCCEEDED);
      FineTuneJobStatus status = jobs.awaitAttempt("patient", 2);
      assertThat(status.attempts().get(0).outcome()).isEqualTo(AttemptOutcome.Interrupted);
      assertThat(status.attempts().get(0).reason()).isEqualTo(ConditionReason.Disrupted);
      assertThat(status.attempts().get(0).message()).contains("PreemptionByScheduler");
      assertThat(status.attempts().get(0).lostSteps()).isZero();
      assertThat(status.failedAttempts()).isZero();
      assertThat(FineTuneJobs.last(status).resumedFromStep()).isGreaterThanOrEqualTo(20);
    } finally {
      CLUSTER.client().resource(urgent).delete();
    }
  }

  private PriorityClass priority() {
    return new PriorityClassBuilder()
        .withNewMetadata()
        .withName(namespace.name() + "-urgent")
        .endMetadata()
        .withValue(1000)
        .build();
  }
}
