package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.Disturbances;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.ShellTrainer;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two pods of two ranks each that train together, on a node each. */
class RanksE2E {
  private static final String CONTAINER = "trainer";

  /** A rank waits so long for one that takes no part. */
  private static final int RANK_TIMEOUT_SECONDS = 15;

  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void fourRanksOnTwoNodesWriteTheAdapterThatTheShellGives() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(onTwoNodes(Manifest.tiny("ranks"), "ranks"));

    FineTuneJobStatus status = jobs.awaitPhase("ranks", Phase.SUCCEEDED);

    assertThat(status.attempts()).hasSize(1);
    assertThat(status.training().step()).isEqualTo(40);
    assertThat(status.training().ranks().count()).isEqualTo(4);
    assertThat(status.training().ranks().slowestTokensPerSecond()).isPositive();
    assertThat(status.attempts().get(0).gpuSeconds()).isPositive();
    assertThat(List.of(node(jobs.pod("ranks", 1, 0)), node(jobs.pod("ranks", 1, 1))))
        .containsExactlyInAnyOrderElementsOf(CLUSTER.nodes());
    Path shell = new ShellTrainer(CLUSTER, namespace).run("ranks", 4);
    for (String file : List.of("adapter/adapter_model.safetensors", "logging.jsonl")) {
      assertThat(namespace.results().resolve("ranks").resolve(file))
          .hasSameBinaryContentAs(shell.resolve(file));
    }
  }

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void aKilledRankEndsAllAndTheNextAttemptGoesOn() {
    FineTuneJobs jobs = started("killed");
    Pod second = jobs.pod("killed", 1, 1);
    CLUSTER.disturbances().signalRank(second, CONTAINER, 3, "KILL");

    FineTuneJobStatus status = jobs.awaitAttempt("killed", 2);
    Attempt failed = status.attempts().get(0);
    assertThat(failed.outcome()).isEqualTo(AttemptOutcome.Failed);
    assertThat(failed.reason()).isEqualTo(ConditionReason.RankLost);
    assertThat(failed.exitCode()).isEqualTo(74);
    assertThat(failed.rank()).isEqualTo(3);
    assertThat(failed.node()).isEqualTo(node(second));
    assertThat(failed.message()).contains("rank 3", "was ended by signal 9");
    assertWentOn(status, failed);
  }

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void aRankThatHangsIsEndedByTimeAndNamed() {
    FineTuneJobs jobs = started("hung");
    Pod second = jobs.pod("hung", 1, 1);
    CLUSTER.disturbances().signalRank(second, CONTAINER, 2, "STOP");

    FineTuneJobStatus status = jobs.awaitAttempt("hung", 2);
    Attempt failed = status.attempts().get(0);
    assertThat(failed.reason()).isEqualTo(ConditionReason.RankLost);
    assertThat(failed.rank()).isEqualTo(2);
    assertThat(failed.node()).isEqualTo(node(second));
    assertThat(failed.message())
        .contains("Rank 2 of 4 is lost: no part taken for " + RANK_TIMEOUT_SECONDS + " s");
    assertWentOn(status, failed);
  }

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void aNetworkThatIsCutEndsAllAndIsGoneOnFromWhenItIsMended() {
    FineTuneJobs jobs = started("cut");
    String node = node(jobs.pod("cut", 1, 1));
    FineTuneJobStatus status;
    CLUSTER.disturbances().cutPodsOff(node);
    try {
      status =
          jobs.awaitStatus(
              "cut",
              now -> assertThat(now.attempts().get(0).outcome()).isEqualTo(AttemptOutcome.Failed));
    } finally {
      CLUSTER.disturbances().mendNetwork(node);
    }
    Attempt failed = status.attempts().get(0);
    assertThat(failed.reason()).isEqualTo(ConditionReason.RankLost);
    assertThat(failed.message()).contains("no part taken for " + RANK_TIMEOUT_SECONDS + " s");
    // The next attempt's ranks wait for each other, where the network isn't mended yet.
    assertWentOn(jobs.awaitAttempt("cut", 2), failed);
  }

  @Test
  void ranksWaitForAPodThatStartsAMinuteLater() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(
        onTwoNodes(Manifest.tiny("late"), "late")
            .spec("pod: {template: {spec: {schedulingGates: [{name: example.com/later}]}}}"));
    namespace.await("both pods", () -> jobs.pods("late"), pods -> assertThat(pods).hasSize(2));
    admit(jobs.pod("late", 1, 1));
    namespace.await(
        "the second pod runs",
        () -> jobs.pod("late", 1, 1),
        pod -> assertThat(pod.getStatus().getPhase()).isEqualTo("Running"));
    Instant later = Instant.now().plusSeconds(60);
    namespace.await(
        "a minute",
        Duration.ofMinutes(2),
        Instant::now,
        now -> assertThat(now).isAfterOrEqualTo(later));
    assertThat(jobs.pod("late", 1, 1).getStatus().getPhase()).isEqualTo("Running");

    admit(jobs.pod("late", 1, 0));

    assertThat(jobs.awaitPhase("late", Phase.SUCCEEDED).attempts()).hasSize(1);
  }

  private void admit(Pod pod) {
    CLUSTER
        .client()
        .pods()
        .inNamespace(namespace.name())
        .withName(pod.getMetadata().getName())
        .edit(
            each -> {
              each.getSpec().setSchedulingGates(List.of());
              return each;
            });
  }

  /** A job that trains on both nodes and has a checkpoint. */
  private FineTuneJobs started(String name) {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(onTwoNodes(Manifest.endless(name), name));
    jobs.awaitCheckpoint(name);
    return jobs;
  }

  private static void assertWentOn(FineTuneJobStatus status, Attempt failed) {
    assertThat(failed.lostSteps()).isNotNegative();
    Attempt next = FineTuneJobs.last(status);
    assertThat(next.resumedFromStep()).isPositive();
    assertThat(next.resumedFromStep() % 20).isZero();
  }

  private static String node(Pod pod) {
    return pod.getSpec().getNodeName();
  }

  private static Manifest onTwoNodes(Manifest manifest, String name) {
    return manifest
        .spec("resources: {nodes: 2, gpusPerNode: 2, memory: 2Gi}")
        .spec("recipe: {training: {batchSize: 1}}")
        .spec(
            """
            pod:
              env: [{name: DDP_TIMEOUT, value: "%d"}]
              template:
                spec:
                  terminationGracePeriodSeconds: 10
                  affinity:
                    podAntiAffinity:
                      requiredDuringSchedulingIgnoredDuringExecution:
                      - topologyKey: kubernetes.io/hostname
                        labelSelector: {matchLabels: {finetune.dev/job: %s}}
            """
                .formatted(RANK_TIMEOUT_SECONDS, name));
  }
}
