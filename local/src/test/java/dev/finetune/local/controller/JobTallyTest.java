package dev.finetune.local.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class JobTallyTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  @Test
  void everyIndexWithoutAPodIsMissing() {
    assertThat(JobTally.of(job(3), List.of(pod(1, "Running")), Set.of(1)).missing())
        .containsExactlyInAnyOrder(0, 2);
  }

  @Test
  void aJobIsCompleteWhenEveryIndexHasSucceeded() {
    JobTally tally =
        JobTally.of(job(2), List.of(pod(0, "Succeeded"), pod(1, "Succeeded")), Set.of(0, 1));

    JobStatus status = tally.status(null, NOW);

    assertThat(tally.complete()).isTrue();
    assertThat(status.getSucceeded()).isEqualTo(2);
    assertThat(status.getCompletedIndexes()).isEqualTo("0-1");
    assertThat(status.getCompletionTime()).isEqualTo("2026-01-02T03:04:05Z");
    assertThat(status.getConditions())
        .extracting(JobCondition::getType)
        .containsExactly("SuccessCriteriaMet", "Complete");
  }

  @Test
  void oneFailedPodFailsAJobWithoutBackoff() {
    JobTally tally =
        JobTally.of(job(2), List.of(pod(0, "Failed"), pod(1, "Running")), Set.of(0, 1));

    JobStatus status = tally.status(null, NOW);

    assertThat(tally.failed()).isTrue();
    assertThat(status.getFailed()).isEqualTo(1);
    assertThat(status.getActive()).isZero();
    assertThat(status.getCompletionTime()).isNull();
    assertThat(status.getConditions())
        .extracting(JobCondition::getType, JobCondition::getReason, JobCondition::getMessage)
        .contains(
            org.assertj.core.groups.Tuple.tuple(
                "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"));
  }

  @Test
  void aPodThatWasDeletedCountsAsFailedAlsoOnceItIsGone() {
    Pod deleted =
        new PodBuilder(pod(0, "Running"))
            .editMetadata()
            .withDeletionTimestamp(NOW.toString())
            .endMetadata()
            .build();

    assertThat(JobTally.of(job(1), List.of(deleted), Set.of(0)).failed()).isTrue();
    assertThat(JobTally.of(job(1), List.of(), Set.of(0)).failed()).isTrue();
  }

  @Test
  void aRunningJobIsNeitherCompleteNorFailed() {
    JobTally tally = JobTally.of(job(1), List.of(pod(0, "Running")), Set.of(0));

    assertThat(tally.complete()).isFalse();
    assertThat(tally.failed()).isFalse();
    assertThat(tally.status(null, NOW).getActive()).isEqualTo(1);
    assertThat(tally.status(null, NOW).getConditions()).isEmpty();
  }

  private static Job job(int completions) {
    return new JobBuilder()
        .withNewMetadata()
        .withName("tune-1")
        .withNamespace("default")
        .withUid("u")
        .endMetadata()
        .withNewSpec()
        .withCompletions(completions)
        .withParallelism(completions)
        .withBackoffLimit(0)
        .withNewTemplate()
        .withNewSpec()
        .addNewContainer()
        .withName("main")
        .endContainer()
        .endSpec()
        .endTemplate()
        .endSpec()
        .build();
  }

  private static Pod pod(int index, String phase) {
    Pod pod = IndexedPod.of(job(index + 1), index);
    return new PodBuilder(pod).withNewStatus().withPhase(phase).endStatus().build();
  }
}
