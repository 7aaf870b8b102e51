package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.fabric8.kubernetes.api.model.ResourceQuotaBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods that can't be, or can't start: the status has the words of whoever holds them up. */
class PendingE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void nineGpusAreNowhereAndTheDeadlineEndsTheWaiting() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(
        Manifest.tiny("nine")
            .spec("{resources: {gpusPerNode: 9}, deadlines: {pendingSeconds: 10}}"));

    FineTuneJobStatus waiting =
        jobs.awaitStatus(
            "nine",
            status ->
                assertThat(FineTuneJobs.condition(status, "Scheduled").getMessage())
                    .contains("Insufficient nvidia.com/gpu"));
    assertThat(waiting.phase()).isEqualTo(Phase.PENDING);
    assertThat(FineTuneJobs.condition(waiting, "Scheduled").getReason()).isEqualTo("Unschedulable");

    FineTuneJobStatus failed = jobs.awaitPhase("nine", Phase.FAILED);
    assertThat(FineTuneJobs.condition(failed, "Failed").getReason())
        .isEqualTo("PendingDeadlineExceeded");
    assertThat(failed.message()).contains("Insufficient nvidia.com/gpu");
    jobs.awaitNoPods("nine");
  }

  @Test
  void anImageThatIsNowhereIsNamed() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("no-image").spec("pod: {image: 'registry.invalid/trainer:1'}"));

    FineTuneJobStatus status =
        jobs.awaitStatus(
            "no-image",
            now -> assertThat(now.message()).containsAnyOf("ErrImagePull", "ImagePullBackOff"));

    assertThat(status.phase()).isEqualTo(Phase.PENDING);
    assertThat(status.message()).contains("registry.invalid/trainer:1");
    assertThat(FineTuneJobs.condition(status, "Running").getReason())
        .isEqualTo(ConditionReason.PodStarting.name());
  }

  @Test
  void aQuotaThatRefusesThePodIsQuotedAndTheJobGoesOnWhenItIsRaised() {
    FineTuneJobs jobs = namespace.jobs();
    ResourceQuota quota = CLUSTER.client().resource(quota("requests.nvidia.com/gpu", "1")).create();
    namespace.await(
        "the quota is in force",
        () -> CLUSTER.client().resource(quota).get().getStatus(),
        status -> assertThat(status.getHard()).isNotEmpty());
    jobs.apply(Manifest.tiny("two-gpus").spec("resources: {gpusPerNode: 2}"));

    FineTuneJobStatus refused =
        jobs.awaitStatus(
            "two-gpus", status -> assertThat(status.message()).contains("exceeded quota"));
    assertThat(refused.phase()).isEqualTo(Phase.PENDING);
    assertThat(refused.message())
        .contains("requests.nvidia.com/gpu=2", "requests.nvidia.com/gpu=1");
    assertThat(FineTuneJobs.condition(refused, "Running").getReason()).isEqualTo("ChildRefused");
    namespace.awaitEvents(
        "two-gpus", reasons -> assertThat(reasons).containsOnlyOnce("ChildRefused"));

    CLUSTER.client().resource(quota("requests.nvidia.com/gpu", "2")).update();

    assertThat(jobs.awaitPhase("two-gpus", Phase.SUCCEEDED).attempts()).hasSize(1);
  }

  @Test
  void aQuotaThatRefusesTheJobItselfIsQuotedToo() {
    FineTuneJobs jobs = namespace.jobs();
    CLUSTER.client().resource(quota("count/jobs.batch", "0")).create();
    jobs.apply(Manifest.tiny("no-job"));

    FineTuneJobStatus refused =
        jobs.awaitStatus(
            "no-job", status -> assertThat(status.message()).contains("exceeded quota"));
    assertThat(refused.attempts()).isNullOrEmpty();

    CLUSTER.client().resource(quota("count/jobs.batch", "1")).update();

    jobs.awaitPhase("no-job", Phase.SUCCEEDED);
  }

  private ResourceQuota quota(String resource, String most) {
    return new ResourceQuotaBuilder()
        .withNewMetadata()
        .withName("quota")
        .withNamespace(namespace.name())
        .endMetadata()
        .withNewSpec()
        .withHard(Map.of(resource, new Quantity(most)))
        .endSpec()
        .build();
  }
}
