package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import dev.finetune.operator.support.TestJobController;
import dev.finetune.operator.support.TestProgress;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.fabric8.kubernetes.api.model.ResourceQuotaBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The packaged operator on a real API server where attempts fail, are stopped, or are refused. */
class FineTuneJobRecoveryIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static String namespace;
  private static String fullNamespace;
  private static FineTuneJobs jobs;
  private static TestJobController cluster;
  private static OperatorProcess operator;

  @BeforeAll
  static void startOperator() {
    namespace = API.newNamespace();
    fullNamespace = API.newNamespace();
    jobs = new FineTuneJobs(API.client(), namespace);
    cluster = new TestJobController(API.client(), namespace);
    operator =
        OperatorProcess.start(
            "recovery",
            API.kubeconfig(),
            Map.of(
                "FINETUNE_LEADER_ELECTION",
                "false",
                "FINETUNE_NAMESPACES",
                namespace + "," + fullNamespace));
  }

  @AfterAll
  static void stopOperator() {
    operator.close();
  }

  @Test
  void triesAgainAfterItsBackOffAndGoesOnFromTheCheckpoint() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("again", "retry: {maxRestarts: 1, backoffSeconds: 2}");
      Job first = cluster.awaitJob("again-1");
      trainer.says(TestProgress.at(17));
      Pod pod = cluster.start(first, trainer.port());
      jobs.awaitStep("again", 17);
      cluster.end(first, pod, TrainerExit.INTERNAL, "a bug", TestProgress.at(17));

      Job second = cluster.awaitJob("again-2");
      Attempt failed = jobs.get("again").getStatus().attempts().get(0);
      assertThat(failed.outcome()).isEqualTo(AttemptOutcome.Failed);
      assertThat(failed.reason()).isEqualTo(ConditionReason.InternalError);
      assertThat(failed.exitCode()).isEqualTo(70);
      assertThat(failed.message()).isEqualTo("a bug");
      assertThat(failed.lostSteps()).isEqualTo(7);
      assertThat(Instant.parse(second.getMetadata().getCreationTimestamp()))
          .isAfterOrEqualTo(Instant.parse(failed.endTime()).plusSeconds(2));

      trainer.says(TestProgress.at(20, 10));
      Pod next = cluster.start(second, trainer.port());
      jobs.awaitStep("again", 20);
      assertThat(jobs.get("again").getStatus().attempts().get(1).resumedFromStep()).isEqualTo(10);
      cluster.end(second, next, TrainerExit.DONE, "done", TestProgress.at(40, 10));
      FineTuneJob done = jobs.awaitPhase("again", Phase.SUCCEEDED);
      assertThat(done.getStatus().failedAttempts()).isEqualTo(1);
    }
  }

  @Test
  void failsForGoodWhenAttemptsRunOut() {
    jobs.apply("exhausted", "retry: {maxRestarts: 1, backoffSeconds: 0}");
    for (int attempt = 1; attempt <= 2; attempt++) {
      Job child = cluster.awaitJob("exhausted-" + attempt);
      cluster.end(
          child, cluster.start(child, 1), TrainerExit.OUTPUT, "the disk is full", Progress.NONE);
    }

    FineTuneJob failed = jobs.awaitPhase("exhausted", Phase.FAILED);
    assertThat(failed.getStatus().message())
        .contains("spec.retry.maxRestarts is 1", "the disk is full");
    assertThat(failed.getStatus().attempts()).hasSize(2);
  }

  @Test
  void neverTriesBadDataAgain() {
    jobs.apply("bad-data", "retry: {maxRestarts: 5, backoffSeconds: 0}");
    Job child = cluster.awaitJob("bad-data-1");
    String words = "data/rows.json: row 7: output is empty";
    cluster.end(child, cluster.start(child, 1), TrainerExit.DATA, words, Progress.NONE);

    FineTuneJob failed = jobs.awaitPhase("bad-data", Phase.FAILED);
    assertThat(failed.getStatus().message()).contains(words);
    assertThat(failed.getStatus().conditions())
        .filteredOn(condition -> condition.getType().equals("Failed"))
        .extracting(condition -> condition.getReason())
        .containsExactly("DataError");
    assertThat(cluster.jobs()).filteredOn(name -> name.startsWith("bad-data")).hasSize(1);
  }

  @Test
  void suspendsAndResumes() {
    try (var trainer = new FakeTrainer()) {
      jobs.apply("paused");
      Job first = cluster.awaitJob("paused-1");
      trainer.says(TestProgress.at(17));
      Pod pod = cluster.start(first, trainer.port());
      jobs.awaitStep("paused", 17);

      jobs.edit("paused", "{\"spec\": {\"suspend\": true}}");
      cluster.awaitNoJob("paused-1");
      assertThat(jobs.get("paused").getStatus().phase())
          .as("until the trainer has saved a checkpoint")
          .isEqualTo(Phase.RUNNING);
      cluster.endPod(pod, TrainerExit.TRY_AGAIN, "saved", TestProgress.at(18));
      cluster.collect(pod);
      FineTuneJob suspended = jobs.awaitPhase("paused", Phase.SUSPENDED);
      assertThat(suspended.getStatus().attempts().get(0).outcome())
          .isEqualTo(AttemptOutcome.Interrupted);
      assertThat(suspended.getStatus().failedAttempts()).isZero();

      jobs.edit("paused", "{\"spec\": {\"suspend\": false}}");
      cluster.awaitJob("paused-2");
      jobs.awaitStatus(
          "paused",
          status ->
              assertThat(status.attempts()).extracting(Attempt::number).containsExactly(1, 2));
    }
  }

  @Test
  void startsTheNextAttemptWhenSomebodyDeletesTheJob() {
    jobs.apply("deleted", "retry: {maxRestarts: 0, backoffSeconds: 0}");
    Job first = cluster.awaitJob("deleted-1");
    jobs.awaitStatus("deleted", status -> assertThat(status.attempts()).hasSize(1));

    API.client().resource(first).delete();

    cluster.awaitJob("deleted-2");
    Attempt attempt = jobs.get("deleted").getStatus().attempts().get(0);
    assertThat(attempt.reason()).isEqualTo(ConditionReason.JobDeleted);
    assertThat(attempt.outcome()).isEqualTo(AttemptOutcome.Interrupted);
  }

  @Test
  void showsTheQuotasWordsAndGoesOnWhenThereIsRoom() {
    ResourceQuota quota = quotaWithoutJobs();
    var crowded = new FineTuneJobs(API.client(), fullNamespace);
    crowded.apply("crowded");
    FineTuneJob refused =
        crowded.awaitStatus(
            "crowded", status -> assertThat(status.message()).contains("exceeded quota: no-jobs"));
    assertThat(refused.getStatus().conditions())
        .filteredOn(condition -> condition.getType().equals("Running"))
        .extracting(condition -> condition.getReason())
        .containsExactly(ConditionReason.ChildRefused.name());
    assertThat(refused.getStatus().attempts()).isNull();

    API.client().resource(quota).delete();
    new TestJobController(API.client(), fullNamespace).awaitJob("crowded-1");
  }

  /**
   * Without a quota controller its status, by which the API server goes, is the test's to write.
   */
  private static ResourceQuota quotaWithoutJobs() {
    Map<String, Quantity> none = Map.of("count/jobs.batch", new Quantity("0"));
    ResourceQuota quota =
        API.client()
            .resource(
                new ResourceQuotaBuilder()
                    .withNewMetadata()
                    .withName("no-jobs")
                    .withNamespace(fullNamespace)
                    .endMetadata()
                    .withNewSpec()
                    .withHard(none)
                    .endSpec()
                    .build())
            .create();
    API.client()
        .resource(quota.edit().withNewStatus().withHard(none).withUsed(none).endStatus().build())
        .updateStatus();
    await("the quota counts")
        .atMost(Duration.ofMinutes(1))
        .until(FineTuneJobRecoveryIT::isJobRefused);
    return quota;
  }

  private static boolean isJobRefused() {
    Job probe =
        new JobBuilder()
            .withNewMetadata()
            .withName("probe")
            .withNamespace(fullNamespace)
            .endMetadata()
            .withNewSpec()
            .withNewTemplate()
            .withNewSpec()
            .withRestartPolicy("Never")
            .addNewContainer()
            .withName("probe")
            .withImage("probe")
            .endContainer()
            .endSpec()
            .endTemplate()
            .endSpec()
            .build();
    try {
      API.client().resource(probe).dryRun().create();
      return false;
    } catch (KubernetesClientException e) {
      return e.getMessage().contains("exceeded quota");
    }
  }
}
