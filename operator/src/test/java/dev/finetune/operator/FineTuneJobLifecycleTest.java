package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.api.v1alpha1.TrainingResult;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The whole operator against an API server that stores objects; the test plays the Job controller
 * and the trainer.
 */
@QuarkusTest
@QuarkusTestResource(MockApiServer.class)
class FineTuneJobLifecycleTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Several progress intervals of the test's configuration. */
  private static final Duration A_WHILE = Duration.ofSeconds(2);

  @Inject KubernetesClient client;

  @TestHTTPResource("/q/metrics")
  URL metrics;

  @TestHTTPResource("/q/health")
  URL health;

  private JobController controller;

  @BeforeEach
  void play() {
    controller = new JobController(client);
  }

  @Test
  void aJobGoesFromApplyToSucceededWithItsProgressInTheStatus() throws IOException {
    try (var trainer = new FakeTrainer()) {
      client.resource(Jobs.named("support-assistant")).create();
      Job child = awaitChild("support-assistant-1");
      assertThat(recipe("support-assistant")).contains("rank: 8");

      trainer.says(progress(20, 1, null));
      Pod pod = controller.runPod(child, trainer);
      FineTuneJob running =
          awaitStatus("support-assistant", job -> job.getStatus().training() != null);
      assertThat(running.getStatus().phase()).isEqualTo(Phase.RUNNING);
      assertThat(running.getStatus().training().step()).isEqualTo(20);
      assertThat(running.getStatus().epochs()).extracting(EpochResult::loss).containsExactly(1.0);

      controller.endPod(
          pod,
          0,
          new TerminationMessage(TrainerExit.DONE, "done", null, progress(40, 2, "pvc://r/a")));
      controller.endJob(child, "Complete");
      FineTuneJob done =
          awaitStatus("support-assistant", job -> job.getStatus().phase() == Phase.SUCCEEDED);
      assertThat(done.getStatus().training().step()).isEqualTo(40);
      assertThat(done.getStatus().epochs()).hasSize(2);
      assertThat(done.getStatus().checkpoints().latest().location())
          .isEqualTo("pvc://results/checkpoint-40");
      assertThat(done.getStatus().result().adapter()).isEqualTo("pvc://r/a");
      assertThat(done.getStatus().attempts())
          .extracting(Attempt::outcome)
          .containsExactly(AttemptOutcome.Succeeded);
      assertThat(done.getMetadata().getFinalizers()).isEmpty();
      awaitEvents("support-assistant", "Completed");

      client.resource(child).delete();
      client.resource(pod).delete();
      assertNothingIsWritten("support-assistant");
      assertThat(client.batch().v1().jobs().inNamespace("default").list().getItems())
          .noneMatch(job -> job.getMetadata().getName().startsWith("support-assistant"));
    }
    // Other tests of this class may have run before in the same operator.
    assertThat(read(metrics))
        .containsPattern("finetune_jobs\\{phase=\"Succeeded\",?\\} 1.0")
        .containsPattern("finetune_attempts_total\\{reason=\"Completed\",?\\} 1.0")
        .containsPattern("finetune_status_writes_total [1-9]")
        .containsPattern("finetune_job_duration_seconds_count\\{outcome=\"Succeeded\",?\\} 1")
        .containsPattern("finetune_time_to_first_step_seconds_count [1-9]")
        .containsPattern("finetune_progress_age_seconds [0-9]")
        // The framework's own.
        .containsPattern("reconciliations_success_total\\{[^}]*\\} [1-9]")
        .containsPattern("events_received_total\\{[^}]*\\} [1-9]")
        .containsPattern("reconciliations_execution_duration_seconds_count\\{[^}]*\\} [1-9]");
    assertThat(read(health)).contains("\"role\": \"leader\"").doesNotContain("DOWN");
  }

  @Test
  void aSteadyJobCostsNoWrite() {
    try (var trainer = new FakeTrainer()) {
      client.resource(Jobs.named("steady")).create();
      Job child = awaitChild("steady-1");
      trainer.says(progress(20, 1, null));
      controller.runPod(child, trainer);
      awaitStatus("steady", job -> job.getStatus().training() != null);

      assertNothingIsWritten("steady");
    }
  }

  @Test
  void aFailedAttemptIsFollowedByAnotherThatResumes() {
    try (var trainer = new FakeTrainer()) {
      FineTuneJob job =
          Jobs.with(Jobs.named("retried"), "retry: {maxRestarts: 1, backoffSeconds: 0}");
      client.resource(job).create();
      Job first = awaitChild("retried-1");
      trainer.says(progress(27, 1, null));
      Pod pod = controller.runPod(first, trainer);
      awaitStatus("retried", each -> each.getStatus().training() != null);
      controller.endPod(pod, 70, new TerminationMessage(TrainerExit.INTERNAL, "boom", null, null));
      controller.endJob(first, "Failed");

      Job second = awaitChild("retried-2");
      trainer.says(resumed(progress(30, 1, null), 20));
      controller.runPod(second, trainer);
      FineTuneJob resumed =
          awaitStatus(
              "retried", each -> Integer.valueOf(30).equals(each.getStatus().training().step()));
      assertThat(resumed.getStatus().attempts())
          .extracting(Attempt::reason)
          .containsExactly(ConditionReason.InternalError, null);
      assertThat(resumed.getStatus().attempts().get(0).lostSteps()).isEqualTo(7);
      assertThat(resumed.getStatus().attempts().get(1).resumedFromStep()).isEqualTo(20);
      assertThat(resumed.getStatus().failedAttempts()).isEqualTo(1);
    }
  }

  @Test
  void severalPodsTrainAsOneJob() {
    try (var first = new FakeTrainer();
        var second = new FakeTrainer()) {
      client
          .resource(
              Jobs.with(
                  Jobs.named("7b-pair"),
                  """
                  resources: {nodes: 2, gpusPerNode: 2, gpuResource: nvidia.com/gpu}
                  retry: {maxRestarts: 1, backoffSeconds: 0}
                  ttlSecondsAfterFinished: 1
                  """))
          .create();
      Job child = awaitChild("7b-pair-1");
      assertThat(service("7b-pair").getMetadata().getOwnerReferences()).hasSize(1);
      first.says(progress(20, 1, null));
      second.says(progress(39, 1, null));
      Pod leader = controller.runPod(child, 0, first);
      Pod other = controller.runPod(child, 1, second);
      FineTuneJob running = awaitStatus("7b-pair", job -> job.getStatus().training() != null);
      assertThat(running.getStatus().message()).startsWith("2 pods train");
      assertThat(running.getStatus().training().step()).as("rank 0's").isEqualTo(20);

      controller.endPod(
          leader, 74, new TerminationMessage(TrainerExit.RANK_LOST, "rank 3 is lost", null, null));
      controller.endPod(
          other, 70, new TerminationMessage(TrainerExit.INTERNAL, "a fault", null, 3, null));
      controller.endJob(child, "Failed");

      Job next = awaitChild("7b-pair-2");
      Attempt failed = get("7b-pair").getStatus().attempts().get(0);
      assertThat(failed.reason()).isEqualTo(ConditionReason.InternalError);
      assertThat(failed.node()).isEqualTo("node-2");
      assertThat(failed.rank()).isEqualTo(3);

      first.says(resumed(progress(30, 1, null), 20));
      leader = controller.runPod(next, 0, first);
      other = controller.runPod(next, 1, second);
      awaitStatus("7b-pair", job -> Integer.valueOf(30).equals(job.getStatus().training().step()));
      controller.endPod(leader, 0, new TerminationMessage(TrainerExit.DONE, "done", null, null));
      controller.endPod(other, 0, new TerminationMessage(TrainerExit.DONE, "done", null, null));
      awaitStatus("7b-pair", job -> job.getStatus().phase() == Phase.SUCCEEDED);
      awaitTrue(() -> client.resource(next).get() == null);
      assertThat(service("7b-pair")).isNull();
    }
  }

  @Test
  void suspendEndsTheAttemptAndResumeStartsTheNext() {
    try (var trainer = new FakeTrainer()) {
      client.resource(Jobs.named("paused")).create();
      Job child = awaitChild("paused-1");
      trainer.says(progress(20, 1, null));
      Pod pod = controller.runPod(child, trainer);
      awaitStatus("paused", job -> job.getStatus().phase() == Phase.RUNNING);

      suspend("paused", true);
      awaitTrue(() -> client.resource(child).get() == null);
      assertThat(get("paused").getStatus().phase()).isEqualTo(Phase.RUNNING);
      client.resource(pod).delete();
      FineTuneJob paused = awaitStatus("paused", job -> job.getStatus().phase() == Phase.SUSPENDED);
      assertThat(paused.getStatus().training().step()).isEqualTo(20);
      assertThat(paused.getStatus().attempts())
          .extracting(Attempt::reason)
          .containsExactly(ConditionReason.SuspendRequested);

      suspend("paused", false);
      awaitChild("paused-2");
    }
  }

  @Test
  void aJobWithoutTroubleCostsSixWrites() {
    try (var trainer = new FakeTrainer()) {
      client.resource(Jobs.named("cheap")).create();
      Job child = awaitChild("cheap-1");
      Pod pod = controller.runPod(child, trainer);
      awaitStatus("cheap", job -> job.getStatus().phase() == Phase.RUNNING);
      controller.endPod(pod, 0, new TerminationMessage(TrainerExit.DONE, "done", null, null));
      controller.endJob(child, "Complete");
      awaitStatus("cheap", job -> job.getStatus().phase() == Phase.SUCCEEDED);
      awaitEvents("cheap", "Completed");
    }

    // The others are the ConfigMap, the Job and the Event.
    assertThat(MockApiServer.statusWrites("cheap")).as("started, running, succeeded").isEqualTo(3);
  }

  @Test
  void anAttemptThatItsQueuePreemptsGoesOnAsTheSameAttempt() {
    try (var trainer = new FakeTrainer()) {
      client.resource(Jobs.with(Jobs.named("shared"), "queueName: gpus")).create();
      Job child = awaitChild("shared-1");
      assertThat(child.getSpec().getSuspend()).isTrue();
      FineTuneJob queued = awaitStatus("shared", job -> job.getStatus().phase() == Phase.QUEUED);
      assertThat(queued.getStatus().message()).contains("queue gpus");

      controller.suspendJob(child, false);
      trainer.says(progress(20, 1, null));
      Pod pod = controller.runPod(child, trainer);
      awaitStatus("shared", job -> job.getStatus().training() != null);
      controller.suspendJob(child, true);
      awaitEvents("shared", "Queued", "Preempted");
      client.resource(pod).delete();
      awaitStatus("shared", job -> job.getStatus().phase() == Phase.QUEUED);

      controller.suspendJob(child, false);
      trainer.says(resumed(progress(30, 1, null), 20));
      controller.runPod(child, trainer);
      FineTuneJob again =
          awaitStatus(
              "shared", job -> Integer.valueOf(30).equals(job.getStatus().training().step()));
      assertThat(again.getStatus().attempts()).hasSize(1);
      assertThat(again.getStatus().attempts().get(0).preemptions()).isEqualTo(1);
    }
  }

  @Test
  void aJobOfAnotherControllerIsNotTouched() {
    client
        .resource(Jobs.with(Jobs.named("foreign"), "managedBy: kueue.x-k8s.io/multikueue"))
        .create();

    assertNothingIsWritten("foreign");
    assertThat(get("foreign").getStatus()).isNull();
    assertThat(client.configMaps().inNamespace("default").withName("foreign").get()).isNull();
    assertThat(client.batch().v1().jobs().inNamespace("default").withName("foreign-1").get())
        .isNull();
  }

  @Test
  void theChildrenOfAJobThatIsDoneGoAfterTheirTimeAndNothingComesBack() {
    client.resource(Jobs.with(Jobs.named("short"), "ttlSecondsAfterFinished: 1")).create();
    Job child = awaitChild("short-1");
    awaitStatus("short", job -> job.getStatus().attempts() != null);
    controller.endJob(child, "Complete");
    awaitStatus("short", job -> job.getStatus().phase() == Phase.SUCCEEDED);

    awaitTrue(() -> client.resource(child).get() == null);
    assertThat(client.configMaps().inNamespace("default").withName("short").get()).isNull();
    assertNothingIsWritten("short");
    assertThat(client.resource(child).get()).isNull();
  }

  @Test
  void aPodThatDoesNotStartInTimeFailsTheJobAndFreesItsPlace() {
    client
        .resource(
            Jobs.with(Jobs.named("late"), "deadlines: {pendingSeconds: 1, stallSeconds: 1800}"))
        .create();

    FineTuneJob failed = awaitStatus("late", job -> job.getStatus().phase() == Phase.FAILED);

    assertThat(failed.getStatus().message()).contains("spec.deadlines.pendingSeconds (1)");
    assertThat(failed.getStatus().attempts())
        .extracting(Attempt::reason)
        .containsExactly(ConditionReason.PendingDeadlineExceeded);
    assertThat(client.batch().v1().jobs().inNamespace("default").withName("late-1").get()).isNull();
    assertNothingIsWritten("late");
  }

  @Test
  void aTrainerWithoutProgressIsEndedAndTriedAgain() {
    try (var trainer = new FakeTrainer()) {
      client
          .resource(
              Jobs.with(
                  Jobs.named("stuck"),
                  "deadlines: {stallSeconds: 2}\nretry: {maxRestarts: 1, backoffSeconds: 0}"))
          .create();
      Job first = awaitChild("stuck-1");
      trainer.says(progress(20, 1, null));
      Pod pod = controller.runPod(first, trainer);
      awaitTrue(() -> client.resource(first).get() == null);
      client.resource(pod).delete();

      awaitChild("stuck-2");
      assertThat(get("stuck").getStatus().attempts())
          .extracting(Attempt::reason)
          .startsWith(ConditionReason.Stalled);
      assertThat(get("stuck").getStatus().failedAttempts()).isEqualTo(1);
    }
  }

  @Test
  void anInvalidSpecIsRefusedWithEveryViolationAndGoesOnOnceEdited() {
    FineTuneJob job = Jobs.named("dotted.name");
    client.resource(job).create();

    FineTuneJob rejected =
        awaitStatus("dotted.name", each -> each.getStatus().conditions() != null);

    assertThat(rejected.getStatus().conditions())
        .filteredOn(condition -> condition.getType().equals("Accepted"))
        .extracting(Condition::getStatus)
        .containsExactly("False");
    assertThat(client.configMaps().inNamespace("default").withName("dotted.name").get()).isNull();
  }

  @Test
  void aChildThatBelongsToSomebodyElseIsReportedAndNotTouched() {
    Job stranger =
        new JobBuilder()
            .withNewMetadata()
            .withName("taken-1")
            .withNamespace("default")
            .endMetadata()
            .build();
    client.resource(stranger).create();
    client.resource(Jobs.named("taken")).create();

    FineTuneJob refused =
        awaitStatus(
            "taken", job -> String.valueOf(job.getStatus().message()).contains("Job taken-1"));
    assertThat(refused.getStatus().message()).contains("doesn't belong to this FineTuneJob");
    awaitEvents("taken", "ChildRefused");
    assertThat(refused.getStatus().attempts()).isNull();

    client.resource(stranger).delete();
    awaitStatus("taken", job -> job.getStatus().attempts() != null);
    assertThat(awaitChild("taken-1").getMetadata().getOwnerReferences()).hasSize(1);
  }

  @Test
  void aQuotaThatRefusesTheJobItsPodShowsInTheStatus() {
    client.resource(Jobs.named("over-quota")).create();
    Job child = awaitChild("over-quota-1");
    client
        .resource(
            new EventBuilder()
                .withNewMetadata()
                .withName("over-quota-1.1")
                .withNamespace("default")
                .endMetadata()
                .withReason("FailedCreate")
                .withMessage("Error creating: exceeded quota: gpus, requested: 2, used: 8")
                .withNewInvolvedObject()
                .withUid(child.getMetadata().getUid())
                .endInvolvedObject()
                .build())
        .create();

    FineTuneJob refused =
        awaitStatus("over-quota", job -> job.getStatus().message().contains("exceeded quota"));

    assertThat(refused.getStatus().phase()).isEqualTo(Phase.PENDING);
    awaitEvents("over-quota", "ChildRefused");
  }

  private void assertNothingIsWritten(String name) {
    String before = get(name).getMetadata().getResourceVersion();
    int writes = MockApiServer.statusWrites(name);
    await()
        .during(A_WHILE)
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(MockApiServer.statusWrites(name)).isEqualTo(writes));
    assertThat(get(name).getMetadata().getResourceVersion()).isEqualTo(before);
  }

  private static Progress progress(int step, int epochs, String adapter) {
    var checkpoint =
        new Checkpoint(
            step / 20 * 20, 1.0, "pvc://results/checkpoint-" + step / 20 * 20, 9L, "ab", 0.5);
    return new Progress(
        new TrainingProgress(
            step / 20.0, 2, "1/2", step, 40, 1.0, null, 1e-4, 0.5, 900.0, step * 100 / 40, 60L),
        IntStream.rangeClosed(1, epochs)
            .mapToObj(epoch -> new EpochResult(epoch, 20 * epoch, 1.0 / epoch, 2.0 / epoch, null))
            .toList(),
        new Checkpoints(checkpoint, checkpoint, null),
        null,
        null,
        adapter == null ? null : new TrainingResult(adapter, null, null));
  }

  private static Progress resumed(Progress progress, int step) {
    var from = new Checkpoint(step, 1.0, "pvc://results/checkpoint-" + step, 9L, "ab", 0.5);
    return new Progress(
        progress.training(),
        progress.epochs(),
        new Checkpoints(from, from, from),
        null,
        null,
        null);
  }

  /** Edits the spec as an API server would: the generation grows with it. */
  private void suspend(String name, boolean value) {
    client
        .resource(get(name))
        .edit(
            job -> {
              Jobs.with(job, "suspend: " + value);
              job.getMetadata().setGeneration(job.getMetadata().getGeneration() + 1);
              return job;
            });
  }

  private FineTuneJob get(String name) {
    return client.resources(FineTuneJob.class).inNamespace("default").withName(name).get();
  }

  private Service service(String job) {
    return client.services().inNamespace("default").withName("trainer-" + job).get();
  }

  private Job awaitChild(String name) {
    return await()
        .atMost(PATIENCE)
        .until(
            () -> client.batch().v1().jobs().inNamespace("default").withName(name).get(),
            job -> job != null && !job.getMetadata().getOwnerReferences().isEmpty());
  }

  private FineTuneJob awaitStatus(String name, Predicate<FineTuneJob> reached) {
    return await()
        .atMost(PATIENCE)
        .until(() -> get(name), job -> job.getStatus() != null && reached.test(job));
  }

  private static void awaitTrue(Callable<Boolean> reached) {
    await().atMost(PATIENCE).until(reached);
  }

  /** An Event is written after the status that it tells of. */
  private void awaitEvents(String name, String... reasons) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(client.events().v1().events().inNamespace("default").list().getItems())
                    .filteredOn(event -> name.equals(event.getRegarding().getName()))
                    .extracting(Event::getReason)
                    .containsExactlyInAnyOrder(reasons));
  }

  private String recipe(String name) {
    return client
        .configMaps()
        .inNamespace("default")
        .withName(name)
        .get()
        .getData()
        .get("recipe.yaml");
  }

  private static String read(URL url) throws IOException {
    try (var stream = url.openStream()) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
