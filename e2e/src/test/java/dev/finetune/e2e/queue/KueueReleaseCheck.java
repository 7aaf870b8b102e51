package dev.finetune.e2e.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.KueueRelease;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A FineTuneJob with spec.queueName in a real Kueue. Each job here wants four GPUs, the whole quota
 * of the queue. The class isn't named *E2E: Kueue takes too long to build for each run.
 */
class KueueReleaseCheck {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension static final KueueRelease KUEUE = new KueueRelease(CLUSTER);

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  private FineTuneJobs jobs;

  @BeforeEach
  void createQueues() {
    KUEUE.createQueues(namespace.name());
    jobs = namespace.jobs();
  }

  @AfterEach
  void deletedJobsLeaveNoWorkloadAndTheWholeQuota() {
    CLUSTER.client().resources(FineTuneJob.class).inNamespace(namespace.name()).delete();

    namespace.await(
        "no workload is left",
        () -> KUEUE.workloads(namespace.name()),
        workloads -> assertThat(workloads).isEmpty());
    namespace.await("the quota is free", this::gpusInUse, used -> assertThat(used).isEqualTo("0"));
  }

  @Test
  void waitsUntilTheQuotaIsFreeAndThenRuns() {
    jobs.apply(queued(Manifest.endless("first"), "experiment"));
    jobs.awaitStep("first", 1);
    jobs.apply(queued(Manifest.tiny("second"), "experiment"));

    FineTuneJobStatus waiting = jobs.awaitPhase("second", Phase.QUEUED);
    assertThat(FineTuneJobs.condition(waiting, "Scheduled").getMessage()).contains("fine-tuning");
    assertThat(jobs.pods("second")).isEmpty();
    assertThat(gpusInUse()).isEqualTo("4");

    jobs.suspend("first", true);
    jobs.awaitPhase("second", Phase.SUCCEEDED);
    assertThat(jobs.get("first").getStatus().phase()).isEqualTo(Phase.SUSPENDED);
  }

  @Test
  void isPreemptedByAHigherPriorityAndResumesFromItsCheckpoint() {
    // Of itself it saves only at the end of an epoch, every sixty steps.
    jobs.apply(
        queued(
            Manifest.tiny("low")
                .spec("recipe: {training: {epochs: 100, maxSteps: 400, saveSteps: 100000}}"),
            "experiment"));
    jobs.awaitStep("low", 20);
    Job job = jobs.attemptJobs("low").get(0);

    jobs.apply(queued(Manifest.tiny("high"), "production"));
    FineTuneJobStatus preempted = jobs.awaitPhase("low", Phase.QUEUED);
    assertThat(preempted.attempts()).hasSize(1);
    assertThat(FineTuneJobs.last(preempted).preemptions()).isEqualTo(1);
    namespace.await("its pod is gone", () -> jobs.pods("low"), pods -> assertThat(pods).isEmpty());
    jobs.awaitPhase("high", Phase.SUCCEEDED);

    FineTuneJobStatus ended =
        jobs.awaitStatus(
            "low",
            Duration.ofMinutes(10),
            status -> assertThat(status.phase()).isEqualTo(Phase.SUCCEEDED));
    Attempt attempt = FineTuneJobs.last(ended);
    assertThat(ended.attempts()).hasSize(1);
    assertThat(attempt.outcome()).isEqualTo(AttemptOutcome.Succeeded);
    assertThat(attempt.preemptions()).isEqualTo(1);
    assertThat(ended.checkpoints().resumedFrom().step()).isGreaterThanOrEqualTo(20);
    assertThat(ended.training().step()).isEqualTo(400);
    assertThat(jobs.attemptJobs("low"))
        .singleElement()
        .satisfies(
            same -> assertThat(same.getMetadata().getUid()).isEqualTo(job.getMetadata().getUid()));
  }

  @Test
  void givesUpItsPlaceWhenItIsSuspendedInTheQueue() {
    jobs.apply(queued(Manifest.endless("holder"), "experiment"));
    jobs.awaitStep("holder", 1);
    jobs.apply(queued(Manifest.tiny("waiting"), "experiment"));
    jobs.awaitPhase("waiting", Phase.QUEUED);

    jobs.suspend("waiting", true);
    jobs.awaitPhase("waiting", Phase.SUSPENDED);
    namespace.await(
        "only the holder's workload is left",
        () -> KUEUE.workloads(namespace.name()),
        workloads -> assertThat(workloads).hasSize(1));

    jobs.suspend("waiting", false);
    jobs.awaitPhase("waiting", Phase.QUEUED);
    jobs.resource("holder").delete();
    jobs.awaitPhase("waiting", Phase.SUCCEEDED);
  }

  /** A retry is another Job, and so another workload; the first one's quota must be free. */
  @Test
  void holdsItsQuotaOnceWhenAnAttemptFollowsAnother() {
    jobs.apply(queued(Manifest.endless("retried"), "experiment"));
    jobs.awaitCheckpoint("retried");

    CLUSTER.client().resource(jobs.pod("retried", 1)).delete();
    jobs.awaitAttempt("retried", 2);

    assertThat(gpusInUse()).isEqualTo("4");
    assertThat(KUEUE.workloads(namespace.name()))
        .filteredOn(workload -> !finished(workload))
        .hasSize(1);
  }

  private static Manifest queued(Manifest manifest, String priority) {
    return manifest
        .metadata("labels: {kueue.x-k8s.io/priority-class: %s}".formatted(priority))
        .spec("{queueName: fine-tuning, resources: {gpusPerNode: 4}}");
  }

  private String gpusInUse() {
    List<Map<String, Object>> flavors = KUEUE.clusterQueue().get("status", "flavorsUsage");
    return flavors.stream()
        .flatMap(flavor -> resources(flavor).stream())
        .filter(resource -> resource.get("name").equals("nvidia.com/gpu"))
        .map(resource -> resource.get("total").toString())
        .findFirst()
        .orElseThrow();
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> resources(Map<String, Object> flavor) {
    return (List<Map<String, Object>>) flavor.get("resources");
  }

  private static boolean finished(GenericKubernetesResource workload) {
    List<Map<String, Object>> conditions = workload.get("status", "conditions");
    return conditions != null
        && conditions.stream()
            .anyMatch(
                condition ->
                    condition.get("type").equals("Finished")
                        && condition.get("status").equals("True"));
  }
}
