package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.api.v1alpha1.TrainingResult;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * The whole operator against an API server that stores objects; the test plays the Job controller.
 */
@QuarkusTest
@QuarkusTestResource(MockApiServer.class)
class FineTuneJobLifecycleTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @Inject KubernetesClient client;

  @Test
  void aJobGoesFromApplyToSucceededWithItsProgressInTheStatus() {
    try (var trainer = new FakeTrainer()) {
      client.resource(Jobs.named("support-assistant")).create();
      Job child = awaitJob("support-assistant-1");
      assertThat(child.getMetadata().getOwnerReferences().get(0).getKind())
          .isEqualTo("FineTuneJob");
      assertThat(recipe("support-assistant")).contains("rank: 8");

      trainer.says(progress(20, 1, null));
      Pod pod = client.resource(runningPod(child, trainer)).create();
      FineTuneJob running =
          awaitJob("support-assistant", job -> job.getStatus().training() != null);
      assertThat(running.getStatus().phase()).isEqualTo(Phase.RUNNING);
      assertThat(running.getStatus().training().step()).isEqualTo(20);
      assertThat(running.getStatus().epochs()).extracting(EpochResult::loss).containsExactly(1.0);

      end(pod, 0, new TerminationMessage(TrainerExit.DONE, "done", progress(40, 2, "pvc://r/a")));
      finish(child, "Complete");
      FineTuneJob done =
          awaitJob("support-assistant", job -> job.getStatus().phase() == Phase.SUCCEEDED);
      assertThat(done.getStatus().training().step()).isEqualTo(40);
      assertThat(done.getStatus().epochs()).hasSize(2);
      assertThat(done.getStatus().result().adapter()).isEqualTo("pvc://r/a");
      assertThat(done.getStatus().attempts()).hasSize(1);
      assertThat(done.getStatus().attempts().get(0).outcome()).isEqualTo(AttemptOutcome.Succeeded);
    }
  }

  private static Progress progress(int step, int epochs, String adapter) {
    var results = new java.util.ArrayList<EpochResult>();
    for (int epoch = 1; epoch <= epochs; epoch++) {
      results.add(new EpochResult(epoch, 20 * epoch, 1.0 / epoch, 2.0 / epoch, null));
    }
    var checkpoint = new Checkpoint(step, step / 20.0, "pvc://results/c-" + step, 9L, "ab", 0.5);
    return new Progress(
        new TrainingProgress(
            step / 20.0, 2, "x", step, 40, 1.0, null, 1e-4, 0.5, 900.0, step * 100 / 40, 60L),
        results,
        new Checkpoints(checkpoint, checkpoint, null),
        null,
        null,
        adapter == null ? null : new TrainingResult(adapter, null));
  }

  private static Pod runningPod(Job job, FakeTrainer trainer) {
    Pod pod =
        new PodBuilder()
            .withMetadata(job.getSpec().getTemplate().getMetadata())
            .withSpec(job.getSpec().getTemplate().getSpec())
            .editMetadata()
            .withName(job.getMetadata().getName() + "-0-abcde")
            .withNamespace(job.getMetadata().getNamespace())
            .endMetadata()
            .withNewStatus()
            .withPhase("Running")
            .withPodIP("127.0.0.1")
            .endStatus()
            .build();
    pod.getSpec().setNodeName("node-1");
    pod.getSpec().getContainers().get(0).getPorts().get(0).setContainerPort(trainer.port());
    return pod;
  }

  private void end(Pod pod, int exitCode, TerminationMessage message) {
    client
        .resource(pod)
        .editStatus(
            each -> {
              each.setStatus(
                  new PodStatusBuilder()
                      .withPhase(exitCode == 0 ? "Succeeded" : "Failed")
                      .addNewContainerStatus()
                      .withName("trainer")
                      .withNewState()
                      .withNewTerminated()
                      .withExitCode(exitCode)
                      .withMessage(Serialization.asJson(message))
                      .endTerminated()
                      .endState()
                      .endContainerStatus()
                      .build());
              return each;
            });
  }

  private void finish(Job job, String condition) {
    client
        .resource(job)
        .editStatus(
            each -> {
              each.setStatus(
                  new JobStatusBuilder()
                      .addNewCondition()
                      .withType(condition)
                      .withStatus("True")
                      .endCondition()
                      .build());
              return each;
            });
  }

  private Job awaitJob(String name) {
    return await()
        .atMost(PATIENCE)
        .until(
            () -> client.batch().v1().jobs().inNamespace("default").withName(name).get(),
            job -> job != null);
  }

  private FineTuneJob awaitJob(String name, java.util.function.Predicate<FineTuneJob> reached) {
    return await()
        .atMost(PATIENCE)
        .until(
            () -> client.resources(FineTuneJob.class).inNamespace("default").withName(name).get(),
            job -> job.getStatus() != null && reached.test(job));
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
}
