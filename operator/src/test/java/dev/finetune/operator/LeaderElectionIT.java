package dev.finetune.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.finetune.operator.support.ApiServerConnection;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.KubeApiServer;
import dev.finetune.operator.support.OperatorProcess;
import dev.finetune.operator.support.TestJobController;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several replicas of the packaged operator, of which one works. */
class LeaderElectionIT {
  @RegisterExtension static final KubeApiServer API = new KubeApiServer();

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Shorter than in production, so that the test is. */
  private static final Map<String, String> LEASE =
      Map.of(
          "FINETUNE_LEASE_DURATION", "8s",
          "FINETUNE_LEASE_RENEW_DEADLINE", "6s",
          "FINETUNE_LEASE_RETRY_PERIOD", "1s");

  private final List<OperatorProcess> started = new ArrayList<>();
  private String namespace;
  private FineTuneJobs jobs;
  private TestJobController cluster;

  @BeforeEach
  void createNamespace() {
    namespace = API.newNamespace();
    jobs = new FineTuneJobs(API.client(), namespace);
    cluster = new TestJobController(API.client(), namespace);
  }

  @AfterEach
  void stopOperators() {
    started.forEach(OperatorProcess::close);
  }

  @Test
  void aLeaderThatIsToldToStopEndsAtOnceAndHandsOver() {
    OperatorProcess first = operator("first", API.kubeconfig());
    awaitLeader("first");
    OperatorProcess second = operator("second", API.kubeconfig());
    jobs.apply("one");
    cluster.awaitJob("one-1");
    assertThat(second.meter("finetune_status_writes_total")).as("of the follower").isZero();

    Instant told = Instant.now();
    int exitCode = first.terminate();
    assertThat(Duration.between(told, Instant.now())).isLessThan(Duration.ofSeconds(5));
    assertThat(exitCode).isIn(0, 143);

    // Given back, the lease needn't run out first.
    awaitLeader("second");
    assertThat(Duration.between(told, lease().getSpec().getAcquireTime().toInstant()))
        .isLessThan(Duration.ofSeconds(8));
    jobs.apply("two");
    cluster.awaitJob("two-1");
    assertThat(cluster.jobs()).containsExactly("one-1", "two-1");
  }

  @Test
  void anotherTakesOverWhenTheLeaderIsKilled() {
    OperatorProcess first = operator("first", API.kubeconfig()).awaitReady();
    awaitLeader("first");
    operator("second", API.kubeconfig()).awaitReady();
    jobs.apply("one");
    cluster.awaitJob("one-1");

    first.kill();
    ZonedDateTime renewed = lease().getSpec().getRenewTime();
    jobs.apply("two");
    cluster.awaitJob("two-1");

    assertThat(leader()).startsWith("second");
    assertThat(lease().getSpec().getAcquireTime()).isAfterOrEqualTo(renewed.plusSeconds(8));
    assertThat(cluster.jobs()).containsExactly("one-1", "two-1");
  }

  @Test
  void goesOnAfterTheApiServerWasAwayForAMoment() {
    try (var connection = new ApiServerConnection(API.client().getMasterUrl().toString())) {
      OperatorProcess operator = operator("cut", connection.through(API.kubeconfig()));
      awaitLeader("cut");
      ZonedDateTime renewed = lease().getSpec().getRenewTime();

      connection.cut();
      jobs.apply("meanwhile");
      connection.restore();

      cluster.awaitJob("meanwhile-1");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(lease().getSpec().getRenewTime()).isAfter(renewed));
      assertThat(operator.isAlive()).isTrue();
    }
  }

  @Test
  void endsWhenTheApiServerIsAwayForLongAndItsNextStartGoesOn() {
    try (var connection = new ApiServerConnection(API.client().getMasterUrl().toString())) {
      OperatorProcess operator = operator("cut", connection.through(API.kubeconfig()));
      awaitLeader("cut");

      connection.cut();
      assertThat(operator.awaitEnd()).as("exit code, on which its pod is restarted").isEqualTo(1);
      jobs.apply("meanwhile");
      connection.restore();
      operator("restarted", connection.through(API.kubeconfig()));

      cluster.awaitJob("meanwhile-1");
      assertThat(leader()).startsWith("restarted");
    }
  }

  private OperatorProcess operator(String name, String kubeconfig) {
    var settings = new HashMap<>(LEASE);
    settings.put("FINETUNE_LEADER_ELECTION", "true");
    settings.put("FINETUNE_LEASE_NAMESPACE", namespace);
    settings.put("FINETUNE_NAMESPACES", namespace);
    // The pod's name, with which a candidate's identity begins.
    settings.put("HOSTNAME", name);
    OperatorProcess operator =
        OperatorProcess.start("leader-election-" + namespace + "-" + name, kubeconfig, settings);
    started.add(operator);
    return operator;
  }

  private void awaitLeader(String name) {
    await("leader " + name)
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(leader()).startsWith(name));
  }

  private String leader() {
    Lease lease = lease();
    return lease == null ? "" : String.valueOf(lease.getSpec().getHolderIdentity());
  }

  private Lease lease() {
    return API.client().leases().inNamespace(namespace).withName("finetune-operator").get();
  }
}
