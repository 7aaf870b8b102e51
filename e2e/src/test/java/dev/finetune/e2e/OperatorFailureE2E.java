package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.Disturbances;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The operator and the API server fail while a job trains: it goes on, and nothing is doubled. */
class OperatorFailureE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void anOperatorThatStartsAgainCatchesUp() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("unwatched"));
    int step = jobs.awaitCheckpoint("unwatched").training().step();
    Pod pod = jobs.pod("unwatched", 1);

    for (Pod operator : CLUSTER.operator().pods()) {
      CLUSTER.client().pods().resource(operator).withGracePeriod(0).delete();
    }
    CLUSTER.operator().awaitReady(1);

    FineTuneJobStatus status = jobs.awaitStep("unwatched", step + 50);
    assertThat(status.attempts()).hasSize(1);
    assertThat(onlyPodOf("unwatched")).isEqualTo(pod.getMetadata().getUid());
  }

  @Test
  void whatEndedWhileTheOperatorWasAwayIsInTheStatus() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("alone").spec("recipe: {training: {epochs: 10, maxSteps: 400}}"));
    jobs.awaitCheckpoint("alone");
    try {
      CLUSTER.operator().scale(0);
      namespace.await(
          "the trainer ends",
          () -> jobs.pod("alone", 1).getStatus().getPhase(),
          phase -> assertThat(phase).isEqualTo("Succeeded"));
    } finally {
      CLUSTER.operator().scale(1);
    }

    FineTuneJobStatus status = jobs.awaitPhase("alone", Phase.SUCCEEDED);

    assertThat(status.training().step()).isEqualTo(400);
    assertThat(status.checkpoints().latest().step()).isEqualTo(400);
    assertThat(status.attempts()).hasSize(1);
    assertThat(status.attempts().get(0).outcome()).isEqualTo(AttemptOutcome.Succeeded);
  }

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void anotherLeaderTakesOverFromAKilledOne() {
    FineTuneJobs jobs = namespace.jobs();
    try {
      CLUSTER.operator().scale(2);
      jobs.apply(Manifest.endless("led"));
      int step = jobs.awaitCheckpoint("led").training().step();
      String leader = CLUSTER.operator().leaderIdentity();

      CLUSTER.disturbances().signal(CLUSTER.operator().leader(), "operator", "KILL");

      jobs.awaitStep("led", step + 50);
      // The kubelet starts the killed one again, and it may be the first to find the lease free.
      assertThat(CLUSTER.operator().leaderIdentity()).isNotEqualTo(leader);
      assertNothingIsDoubled();
    } finally {
      CLUSTER.operator().scale(1);
    }
  }

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void theOtherReplicaTakesOverFromALeaderThatHangsAndThatEndsWhenItWakes() {
    FineTuneJobs jobs = namespace.jobs();
    try {
      CLUSTER.operator().scale(2);
      jobs.apply(Manifest.endless("led"));
      int step = jobs.awaitCheckpoint("led").training().step();
      Pod leader = CLUSTER.operator().leader();
      int restarts = operatorRestarts();

      CLUSTER.disturbances().signal(leader, "operator", "STOP");
      try {
        jobs.awaitStep("led", step + 50);
        assertThat(CLUSTER.operator().leader().getMetadata().getName())
            .isNotEqualTo(leader.getMetadata().getName());
      } finally {
        CLUSTER.disturbances().signal(leader, "operator", "CONT");
      }

      namespace.await(
          "the former leader ends and is started again",
          OperatorFailureE2E::operatorRestarts,
          now -> assertThat(now).isEqualTo(restarts + 1));
      assertNothingIsDoubled();
    } finally {
      CLUSTER.operator().scale(1);
    }
  }

  @Test
  @Tag(Disturbances.OWN_CLUSTER)
  void trainingGoesOnWhileTheApiServerIsDown() throws InterruptedException {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.endless("offline"));
    int step = jobs.awaitCheckpoint("offline").training().step();
    Pod pod = jobs.pod("offline", 1);
    int restarts = operatorRestarts();

    CLUSTER.disturbances().stopApiServer();
    try {
      TimeUnit.MINUTES.sleep(1);
    } finally {
      CLUSTER.disturbances().startApiServer();
    }

    FineTuneJobStatus status = jobs.awaitStep("offline", step + 100);
    assertThat(status.attempts()).hasSize(1);
    assertThat(onlyPodOf("offline")).isEqualTo(pod.getMetadata().getUid());
    assertThat(jobs.pod("offline", 1).getStatus().getContainerStatuses().get(0).getRestartCount())
        .isZero();
    CLUSTER.operator().awaitReady(1);
    assertThat(operatorRestarts() - restarts).isLessThanOrEqualTo(1);
    jobs.apply(Manifest.tiny("afterwards"));
    jobs.awaitPhase("afterwards", Phase.SUCCEEDED);
  }

  private void assertNothingIsDoubled() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("next"));
    assertThat(jobs.awaitPhase("next", Phase.SUCCEEDED).attempts()).hasSize(1);
    assertThat(jobs.get("led").getStatus().attempts()).hasSize(1);
    assertThat(jobs.attemptJobs("led")).hasSize(1);
    assertThat(jobs.attemptJobs("next")).hasSize(1);
  }

  private String onlyPodOf(String job) {
    List<Pod> pods = namespace.jobs().pods(job);
    assertThat(pods).hasSize(1);
    return pods.get(0).getMetadata().getUid();
  }

  private static int operatorRestarts() {
    return CLUSTER.operator().pods().stream()
        .flatMap(pod -> pod.getStatus().getContainerStatuses().stream())
        .mapToInt(status -> status.getRestartCount())
        .sum();
  }
}
