package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import dev.finetune.operator.support.TestJobController;
import dev.finetune.operator.support.TestProgress;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The packaged operator on a real API server takes jobs from apply to their end. */
class FineTuneJobLifecycleIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private static String namespace;
  private static FineTuneJobs jobs;
  private static TestJobController cluster;
  private static OperatorProcess operator;

  @BeforeAll
  static void startOperator() {
    namespace = API.newNamespace();
    jobs = new FineTuneJobs(API.client(), namespace);
    cluster = new TestJobController(API.client(), namespace);
    operator = operator("lifecycle");
  }

  @AfterAll
  static void stopOperator() {
    operator.close();
  }

  @Test
  void takesAJobFromApplyToSucceeded() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("whole", "resources: {gpusPerNode: 2}");
      Job child = cluster.awaitJob("whole-1");
      var container = child.getSpec().getTemplate().getSpec().getContainers().get(0);
      assertThat(container.getResources().getLimits().get("nvidia.com/gpu").getAmount())
          .isEqualTo("2");

      trainer.says(TestProgress.at(25));
      Pod pod = cluster.start(child, trainer.port());
      FineTuneJob running = jobs.awaitStep("whole", 25);
      assertThat(running.getStatus().phase()).isEqualTo(Phase.RUNNING);
      assertThat(running.getStatus().observedGeneration()).isEqualTo(1);
      assertThat(running.getStatus().training().epochText()).isEqualTo("1.25/2");
      assertThat(running.getStatus().epochs()).extracting(EpochResult::loss).containsExactly(2.0);
      assertThat(running.getStatus().checkpoints().latest().location())
          .isEqualTo("pvc://results/tuned/checkpoint-20");

      cluster.end(child, pod, TrainerExit.DONE, "done", TestProgress.at(40));
      FineTuneJob done = jobs.awaitPhase("whole", Phase.SUCCEEDED);
      assertThat(done.getStatus().training().step()).isEqualTo(40);
      assertThat(done.getStatus().epochs())
          .extracting(EpochResult::loss, EpochResult::evalLoss)
          .containsExactly(tuple(2.0, 2.5), tuple(1.0, 1.25));
      assertThat(done.getStatus().checkpoints().latest().step()).isEqualTo(40);
      assertThat(done.getStatus().result().adapter()).isEqualTo("pvc://results/tuned/adapter");
      Attempt attempt = done.getStatus().attempts().get(0);
      assertThat(attempt.outcome()).isEqualTo(AttemptOutcome.Succeeded);
      assertThat(attempt.exitCode()).isZero();
      assertThat(attempt.node()).isEqualTo("node-1");
      awaitEvent("whole", "Completed");
    }
  }

  @Test
  void trainsOnTwoNodesThatMeetByAService() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("2-nodes", "resources: {nodes: 2, gpusPerNode: 1}");
      Job child = cluster.awaitJob("2-nodes-1");
      var service =
          API.client().services().inNamespace(namespace).withName("trainer-2-nodes").get();
      assertThat(service.getSpec().getClusterIP()).isEqualTo("None");
      assertThat(child.getSpec().getParallelism()).isEqualTo(2);
      assertThat(child.getSpec().getTemplate().getSpec().getSubdomain())
          .isEqualTo("trainer-2-nodes");

      trainer.says(TestProgress.at(25));
      Pod first = cluster.start(child, 0, trainer.port());
      jobs.awaitStatus(
          "2-nodes", status -> assertThat(status.message()).contains("1 of its 2 pods are there"));
      Pod second = cluster.start(child, 1, trainer.port());
      jobs.awaitStep("2-nodes", 25);
      jobs.awaitStatus("2-nodes", status -> assertThat(status.phase()).isEqualTo(Phase.RUNNING));

      cluster.endPod(second, TrainerExit.DONE, "done", null);
      cluster.end(child, first, TrainerExit.DONE, "done", TestProgress.at(40));
      FineTuneJob done = jobs.awaitPhase("2-nodes", Phase.SUCCEEDED);
      assertThat(done.getStatus().training().step()).isEqualTo(40);
      assertThat(done.getStatus().attempts().get(0).node()).isEqualTo("node-1");
    }
  }

  @Test
  void losesNothingWhenTheOperatorIsKilledInTheMiddle() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("survivor");
      Job child = cluster.awaitJob("survivor-1");
      trainer.says(TestProgress.at(5));
      Pod pod = cluster.start(child, trainer.port());
      jobs.awaitStep("survivor", 5);

      operator.kill();
      trainer.says(TestProgress.at(25));
      operator = operator("lifecycle-restarted");
      FineTuneJob after = jobs.awaitStep("survivor", 25);
      assertThat(after.getStatus().epochs()).extracting(EpochResult::epoch).containsExactly(1);
      assertThat(after.getStatus().attempts()).hasSize(1);

      operator.kill();
      cluster.end(child, pod, TrainerExit.DONE, "done", TestProgress.at(40));
      operator = operator("lifecycle-restarted-again");
      FineTuneJob done = jobs.awaitPhase("survivor", Phase.SUCCEEDED);
      assertThat(done.getStatus().epochs()).extracting(EpochResult::epoch).containsExactly(1, 2);
      assertThat(done.getStatus().attempts())
          .extracting(Attempt::job)
          .containsExactly("survivor-1");
      assertThat(cluster.jobs()).filteredOn(name -> name.startsWith("survivor")).hasSize(1);
    }
  }

  @Test
  void startsNothingAgainWhenAFinishedJobsChildrenAreDeleted() {
    FineTuneJob done = finished("latched");
    long version = Long.parseLong(done.getMetadata().getResourceVersion());

    API.client().batch().v1().jobs().inNamespace(namespace).withName("latched-1").delete();
    API.client().configMaps().inNamespace(namespace).withName("latched").delete();
    API.client().pods().inNamespace(namespace).withLabel("finetune.dev/job", "latched").delete();
    operator.kill();
    operator = operator("lifecycle-latched");
    // By the time that a later job has its Job, the earlier ones have had their pass.
    jobs.apply("later");
    cluster.awaitJob("later-1");

    assertThat(cluster.jobs()).noneMatch(name -> name.startsWith("latched"));
    assertThat(API.client().configMaps().inNamespace(namespace).withName("latched").get()).isNull();
    assertThat(jobs.get("latched").getMetadata().getResourceVersion())
        .isEqualTo(String.valueOf(version));
  }

  @Test
  void patchesTheStatusOncePerChangeAndNotWhenNothingChanges() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("counted");
      Job child = cluster.awaitJob("counted-1");
      trainer.says(TestProgress.at(5));
      Pod pod = cluster.start(child, trainer.port());
      jobs.awaitStep("counted", 5);
      awaitQuestions(trainer, 2);
      String version = version("counted");
      assertThat(versionsDuring("counted", () -> awaitQuestions(trainer, 4)))
          .as("while the trainer says the same")
          .containsOnly(version);

      assertThat(
              versionsDuring(
                  "counted",
                  () -> {
                    trainer.says(TestProgress.at(6));
                    jobs.awaitStep("counted", 6);
                    awaitQuestions(trainer, 3);
                  }))
          .as("after one change")
          .containsOnly(version, version("counted"));

      cluster.end(child, pod, TrainerExit.DONE, "done", TestProgress.at(40));
      jobs.awaitPhase("counted", Phase.SUCCEEDED);
      finished("next");
      assertThat(jobs.get("counted").getMetadata().getManagedFields())
          .filteredOn(fields -> "status".equals(fields.getSubresource()))
          .as("owners of the status")
          .hasSize(1);
    }
  }

  @Test
  void refusesAnInvalidSpecUntilItIsEdited() {
    jobs.apply("fixed", "resources: {memory: 1Gi, sharedMemory: 2Gi, cpu: four}");
    FineTuneJob rejected =
        jobs.awaitStatus(
            "fixed", status -> assertThat(reason(status, "Accepted")).isEqualTo("InvalidSpec"));
    assertThat(rejected.getStatus().message())
        .contains("spec.resources.cpu", "'four'")
        .contains("spec.resources.sharedMemory", "more than memory");
    assertThat(cluster.jobs()).noneMatch(name -> name.startsWith("fixed"));

    jobs.edit("fixed", "{\"spec\": {\"resources\": {\"cpu\": 4, \"memory\": \"4Gi\"}}}");
    cluster.awaitJob("fixed-1");
    jobs.awaitStatus("fixed", status -> assertThat(reason(status, "Accepted")).isEqualTo("Valid"));
  }

  /** Takes a job to Succeeded. */
  private static FineTuneJob finished(String name) {
    try (var trainer = new FakeTrainer()) {
      jobs.apply(name);
      Job child = cluster.awaitJob(name + "-1");
      Pod pod = cluster.start(child, trainer.port());
      cluster.end(child, pod, TrainerExit.DONE, "done", TestProgress.at(40));
      return jobs.awaitPhase(name, Phase.SUCCEEDED);
    }
  }

  /** Waits until the trainer was asked so many more times, so that as many passes were made. */
  private static void awaitQuestions(FakeTrainer trainer, int more) {
    int before = trainer.asked();
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(trainer.asked()).isGreaterThan(before + more));
  }

  /** The version that is there, and one more for every write from then on. */
  private static Set<String> versionsDuring(String name, Runnable work) {
    Set<String> versions = ConcurrentHashMap.newKeySet();
    Watch watch =
        API.client()
            .resources(FineTuneJob.class)
            .inNamespace(namespace)
            .withName(name)
            .watch(
                new Watcher<>() {
                  @Override
                  public void eventReceived(Action action, FineTuneJob job) {
                    versions.add(job.getMetadata().getResourceVersion());
                  }

                  @Override
                  public void onClose(WatcherException cause) {
                    versions.add("the watch was lost: " + cause);
                  }
                });
    work.run();
    watch.close();
    return versions;
  }

  private static String version(String name) {
    return jobs.get(name).getMetadata().getResourceVersion();
  }

  private static String reason(FineTuneJobStatus status, String condition) {
    return status.conditions().stream()
        .filter(each -> each.getType().equals(condition))
        .map(each -> each.getReason())
        .findFirst()
        .orElse(null);
  }

  /** An Event is written after the status that it tells of. */
  private static void awaitEvent(String name, String reason) {
    await("Events of " + name)
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        API.client()
                            .resources(Event.class)
                            .inNamespace(namespace)
                            .list()
                            .getItems())
                    .filteredOn(event -> event.getRegarding().getName().equals(name))
                    .extracting(Event::getReason)
                    .contains(reason));
  }

  private static OperatorProcess operator(String name) {
    return OperatorProcess.start(
        name,
        API.kubeconfig(),
        Map.of("FINETUNE_LEADER_ELECTION", "false", "FINETUNE_NAMESPACES", namespace));
  }
}
