package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import dev.finetune.operator.support.TestJobController;
import dev.finetune.operator.support.TestProgress;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The packaged operator on a real API server: queues, deadlines, lost nodes, what stays behind. */
class FineTuneJobLifeIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static FineTuneJobs jobs;
  private static TestJobController cluster;
  private static OperatorProcess operator;

  @BeforeAll
  static void startOperator() {
    String namespace = API.newNamespace();
    jobs = new FineTuneJobs(API.client(), namespace);
    cluster = new TestJobController(API.client(), namespace);
    operator =
        OperatorProcess.start(
            "life",
            API.kubeconfig(),
            Map.of(
                "FINETUNE_LEADER_ELECTION",
                "false",
                "FINETUNE_PROGRESS_INTERVAL",
                "1s",
                "FINETUNE_NAMESPACES",
                namespace));
  }

  @AfterAll
  static void stopOperator() {
    operator.close();
  }

  @Test
  void waitsInItsQueueAndGoesOnAfterAPreemption() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("queued", "queueName: gpus");
      Job child = cluster.awaitJob("queued-1");
      assertThat(child.getMetadata().getLabels())
          .containsEntry("kueue.x-k8s.io/queue-name", "gpus");
      jobs.awaitPhase("queued", Phase.QUEUED);

      // As Kueue admits: with the node selector of the flavour.
      cluster.admit(child, Map.of("flavour", "spot"));
      trainer.says(TestProgress.at(17));
      Pod pod = cluster.start(child, trainer.port());
      jobs.awaitStep("queued", 17);
      cluster.preempt(child);
      jobs.awaitStatus(
          "queued", status -> assertThat(status.message()).contains("preempted by queue gpus"));
      cluster.collect(pod);
      FineTuneJob waiting = jobs.awaitPhase("queued", Phase.QUEUED);
      assertThat(waiting.getStatus().attempts())
          .extracting(Attempt::number, Attempt::preemptions, Attempt::outcome)
          .containsExactly(tuple(1, 1, AttemptOutcome.Running));

      cluster.admit(child, Map.of("flavour", "reserved"));
      trainer.says(TestProgress.at(20, 10));
      Pod next = cluster.start(child, trainer.port());
      jobs.awaitStep("queued", 20);
      cluster.end(child, next, TrainerExit.DONE, "done", TestProgress.at(40, 10));
      FineTuneJob done = jobs.awaitPhase("queued", Phase.SUCCEEDED);
      assertThat(done.getStatus().attempts()).hasSize(1);
      assertThat(done.getStatus().failedAttempts()).isZero();
    }
  }

  @Test
  void givesUpOnAPodThatDoesNotStartAndFreesItsGpus() {
    jobs.apply("late", "deadlines: {pendingSeconds: 2}");
    cluster.awaitJob("late-1");

    FineTuneJob failed = jobs.awaitPhase("late", Phase.FAILED);

    cluster.awaitNoJob("late-1");
    assertThat(failed.getStatus().message()).contains("spec.deadlines.pendingSeconds (2)");
    assertThat(failed.getStatus().attempts())
        .extracting(Attempt::reason)
        .containsExactly(ConditionReason.PendingDeadlineExceeded);
  }

  @Test
  void endsATrainerThatHasRunForLongEnoughAndSaysWhereItStopped() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("timed", "deadlines: {activeSeconds: 3}");
      Job child = cluster.awaitJob("timed-1");
      trainer.says(TestProgress.at(17));
      Pod pod = cluster.start(child, trainer.port());
      cluster.awaitNoJob("timed-1");
      assertThat(jobs.get("timed").getStatus().phase())
          .as("until it has saved")
          .isEqualTo(Phase.RUNNING);
      cluster.endPod(pod, TrainerExit.TRY_AGAIN, "saved", TestProgress.at(20));
      cluster.collect(pod);

      FineTuneJob failed = jobs.awaitPhase("timed", Phase.FAILED);
      assertThat(failed.getStatus().message())
          .contains("spec.deadlines.activeSeconds (3)", "pvc://results/tuned/checkpoint-20");
      assertThat(failed.getStatus().activeSeconds()).isPositive();
    }
  }

  @Test
  void startsTheNextAttemptThoughThePodOfADeadNodeLingers() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("lost", "retry: {maxRestarts: 0, backoffSeconds: 0}");
      Job child = cluster.awaitJob("lost-1");
      trainer.says(TestProgress.at(17));
      Pod pod = cluster.start(child, trainer.port());
      jobs.awaitStep("lost", 17);
      // Nobody takes the finalizer away, as nobody does where a node is dead.
      cluster.keep(pod);
      API.client().resource(pod).withGracePeriod(1).delete();

      cluster.awaitJob("lost-2");
      assertThat(API.client().resource(pod).get()).isNotNull();
      assertThat(cluster.jobs()).doesNotContain("lost-1");
      Attempt first = jobs.get("lost").getStatus().attempts().get(0);
      assertThat(first.reason()).isEqualTo(ConditionReason.Disrupted);
      assertThat(first.message()).contains("doesn't answer");
      cluster.release(pod);
    }
  }

  @Test
  void removesTheChildrenAfterTheirTimeAndTouchesNothingThen() {
    jobs.apply("short", "ttlSecondsAfterFinished: 1");
    Job child = cluster.awaitJob("short-1");
    cluster.end(child, cluster.start(child, 1), TrainerExit.DONE, "done", TestProgress.at(40));
    jobs.awaitPhase("short", Phase.SUCCEEDED);

    cluster.awaitNoJob("short-1");
    await("deletion of the ConfigMap")
        .untilAsserted(
            () ->
                assertThat(
                        API.client()
                            .configMaps()
                            .inNamespace(child.getMetadata().getNamespace())
                            .withName("short")
                            .get())
                    .isNull());
    String version = jobs.get("short").getMetadata().getResourceVersion();
    await()
        .during(Duration.ofSeconds(3))
        .atMost(Duration.ofSeconds(10))
        .until(() -> jobs.get("short").getMetadata().getResourceVersion().equals(version));
    assertThat(cluster.jobs()).doesNotContain("short-1", "short-2");
  }

  @Test
  void leavesAnotherControllersJobAlone() {
    String version =
        jobs.apply("foreign", "managedBy: example.com/another").getMetadata().getResourceVersion();
    // One that is its own, applied later, has been dealt with meanwhile.
    jobs.apply("own");
    cluster.awaitJob("own-1");

    assertThat(jobs.get("foreign").getMetadata().getResourceVersion()).isEqualTo(version);
    assertThat(cluster.jobs()).doesNotContain("foreign-1");
  }

  @Test
  void mergesThePodsTemplateAndRemovesWhatIsNull() {
    jobs.apply(
        "templated",
        "pod: {template: {spec: {hostname: tuner, terminationGracePeriodSeconds: 300,"
            + " securityContext: {fsGroup: null}, volumes: [{name: cache, emptyDir: {}}]}}}");

    var spec = cluster.awaitJob("templated-1").getSpec().getTemplate().getSpec();

    assertThat(spec.getHostname()).isEqualTo("tuner");
    assertThat(spec.getTerminationGracePeriodSeconds()).isEqualTo(300);
    assertThat(spec.getSecurityContext().getFsGroup()).isNull();
    assertThat(spec.getSecurityContext().getRunAsNonRoot()).isTrue();
    assertThat(spec.getVolumes())
        .extracting(volume -> volume.getName())
        .contains("recipe", "cache");
  }

  @Test
  void aFieldThatKubernetesDoesNotKnowIsReportedInTheApiServersWords() {
    jobs.apply("misspelt", "pod: {template: {spec: {tolerationz: []}}}");

    FineTuneJob refused =
        jobs.awaitStatus(
            "misspelt",
            status ->
                assertThat(status.message())
                    .contains("Job misspelt-1 was refused", "unknown field", "tolerationz"));
    assertThat(refused.getStatus().attempts()).isNull();

    jobs.edit("misspelt", "{\"spec\": {\"pod\": {\"template\": null}}}");
    cluster.awaitJob("misspelt-1");
  }
}
