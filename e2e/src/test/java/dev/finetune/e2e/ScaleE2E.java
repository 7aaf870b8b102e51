package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.e2e.harness.Disturbances;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.ProcessMemory;
import dev.finetune.e2e.harness.SimulatedNodes;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A hundred jobs at once, on simulated nodes whose trainers can't be reached. */
class ScaleE2E {
  private static final int JOBS = 100;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  /** When each FineTuneJob was acknowledged, by its name. */
  private final Map<String, Instant> applied = new ConcurrentHashMap<>();

  /** Every Job that was ever created, by its uid, with the name of its FineTuneJob. */
  private final Map<String, String> created = new ConcurrentHashMap<>();

  private final Map<String, Instant> firstJob = new ConcurrentHashMap<>();

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void aHundredJobsAtOnceAllEndAndNoneRunsTwice() {
    List<String> names = IntStream.range(0, JOBS).mapToObj("job-%03d"::formatted).toList();
    Watch watch = watchJobs();
    try (var nodes = new SimulatedNodes(CLUSTER.client(), namespace.name(), 4, JOBS / 4)) {
      names.parallelStream().forEach(this::apply);
      awaitAll(Phase.RUNNING);
      String lastWords =
          Serialization.asJson(new TerminationMessage(TrainerExit.DONE, "done", null, null));
      pods().parallelStream().forEach(pod -> nodes.succeed(pod, lastWords));
      awaitAll(Phase.SUCCEEDED);
    }
    watch.close();

    assertThat(created.values())
        .as("one Job each, ever")
        .containsExactlyInAnyOrderElementsOf(names);
    assertThat(jobs()).allSatisfy(job -> assertThat(job.getStatus().attempts()).hasSize(1));
    long memory = ProcessMemory.peakMebibytes(CLUSTER.operator().leader(), "operator");
    assertThat(memory).as("MiB of the operator's process at its peak").isLessThan(256);
    report(memory);
  }

  private void apply(String name) {
    namespace.jobs().apply(Manifest.tiny(name).spec(SimulatedNodes.SPEC));
    applied.put(name, Instant.now());
  }

  private Watch watchJobs() {
    return CLUSTER
        .client()
        .batch()
        .v1()
        .jobs()
        .inNamespace(namespace.name())
        .watch(
            new Watcher<>() {
              @Override
              public void eventReceived(Action action, Job job) {
                String name = job.getMetadata().getLabels().get(FineTuneJobs.JOB_LABEL);
                created.put(job.getMetadata().getUid(), name);
                firstJob.putIfAbsent(name, Instant.now());
              }

              @Override
              public void onClose(WatcherException cause) {
                created.put("", "Jobs may have been missed: " + cause);
              }
            });
  }

  private void awaitAll(Phase phase) {
    namespace.await(
        "all jobs are " + phase,
        PATIENCE,
        this::jobs,
        jobs ->
            assertThat(jobs)
                .hasSize(JOBS)
                .allSatisfy(
                    job ->
                        assertThat(job.getStatus())
                            .isNotNull()
                            .extracting(FineTuneJobStatus::phase)
                            .isEqualTo(phase)));
  }

  private List<FineTuneJob> jobs() {
    return CLUSTER
        .client()
        .resources(FineTuneJob.class)
        .inNamespace(namespace.name())
        .list()
        .getItems();
  }

  private List<Pod> pods() {
    return CLUSTER.client().pods().inNamespace(namespace.name()).list().getItems();
  }

  private void report(long memory) {
    List<Duration> waits =
        applied.entrySet().stream()
            .map(each -> Duration.between(each.getValue(), firstJob.get(each.getKey())))
            .sorted()
            .toList();
    System.out.printf(
        Locale.ROOT,
        "%d jobs: apply to Job created p50 %.1f s, p99 %.1f s; operator %d MiB at its peak%n",
        JOBS,
        waits.get(JOBS / 2).toMillis() / 1000.0,
        waits.get(JOBS - 2).toMillis() / 1000.0,
        memory);
  }
}
