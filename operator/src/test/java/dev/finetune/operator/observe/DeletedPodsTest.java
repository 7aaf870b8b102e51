package dev.finetune.operator.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.resources.Labels;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import org.junit.jupiter.api.Test;

class DeletedPodsTest {
  private final DeletedPods pods = new DeletedPods();

  @Test
  void aPodThatEndedIsRememberedForItsJob() {
    Pod pod = pod("a", "tune", "2026-01-01T00:01:00Z", "Failed");
    pods.remember(pod);
    pods.remember(pod("b", "other", "2026-01-01T00:01:00Z", "Failed"));

    assertThat(pods.of(job("tune", "2026-01-01T00:00:00Z"))).containsExactly(pod);
  }

  @Test
  void aPodThatVanishedWithoutAnEndIsForgotten() {
    pods.remember(pod("a", "tune", "2026-01-01T00:01:00Z", "Running"));

    assertThat(pods.of(job("tune", "2026-01-01T00:00:00Z"))).isEmpty();
  }

  @Test
  void aPodOfAnEarlierJobOfTheSameNameSaysNothingAboutThisOne() {
    pods.remember(pod("a", "tune", "2026-01-01T00:01:00Z", "Failed"));

    assertThat(pods.of(job("tune", "2026-01-01T00:02:00Z"))).isEmpty();
  }

  @Test
  void theOldestIsForgottenFirst() {
    for (int i = 0; i <= 500; i++) {
      pods.remember(pod("uid-" + i, "tune", "2026-01-01T00:01:00Z", "Failed"));
    }

    assertThat(pods.of(job("tune", "2026-01-01T00:00:00Z")))
        .hasSize(500)
        .noneMatch(pod -> pod.getMetadata().getUid().equals("uid-0"));
  }

  private static FineTuneJob job(String name, String created) {
    var job = new FineTuneJob();
    job.setMetadata(
        new ObjectMetaBuilder()
            .withName(name)
            .withNamespace("default")
            .withCreationTimestamp(created)
            .build());
    return job;
  }

  private static Pod pod(String uid, String job, String created, String phase) {
    return new PodBuilder()
        .withNewMetadata()
        .withUid(uid)
        .withNamespace("default")
        .withCreationTimestamp(created)
        .addToLabels(Labels.JOB, job)
        .endMetadata()
        .withNewStatus()
        .withPhase(phase)
        .endStatus()
        .build();
  }
}
