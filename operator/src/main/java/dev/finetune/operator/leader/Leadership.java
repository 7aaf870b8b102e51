package dev.finetune.operator.leader;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.config.OperatorConfig;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfig;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.javaoperatorsdk.operator.Operator;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jboss.logging.Logger;

/**
 * Starts the operator when this process may lead: at once, or with leader election when it has the
 * lease.
 *
 * <p>Works around the operator framework 5.3.2, whose own leader election calls System.exit from
 * within the JVM's shutdown hook, so that SIGTERM hangs until SIGKILL, and which doesn't give the
 * lease back. The client's elector does what is needed: on SIGTERM the operator stops, then the
 * lease is released, then the process ends; a lost lease ends the process at once, as is
 * Kubernetes' custom, since a pass that is under way can't be called back.
 */
@ApplicationScoped
public class Leadership {
  private static final Logger LOG = Logger.getLogger(Leadership.class);

  private final Operator operator;
  private final KubernetesClient client;
  private final OperatorConfig config;
  private final Clock clock;
  private final Runnable endProcess;

  private volatile boolean stopping;
  private volatile ObservedLock lock;
  private CompletableFuture<?> election = CompletableFuture.completedFuture(null);

  @Inject
  Leadership(Operator operator, KubernetesClient client, OperatorConfig config, Clock clock) {
    // Not System.exit: the hooks that it runs would let passes go on.
    this(operator, client, config, clock, () -> Runtime.getRuntime().halt(1));
  }

  Leadership(
      Operator operator,
      KubernetesClient client,
      OperatorConfig config,
      Clock clock,
      Runnable endProcess) {
    this.operator = operator;
    this.client = client;
    this.config = config;
    this.clock = clock;
    this.endProcess = endProcess;
  }

  void start(@Observes StartupEvent event) {
    warmUp();
    if (config.leaderElection()) {
      elect();
    } else {
      operator.start();
    }
  }

  void stop(@Observes ShutdownEvent event) {
    stopping = true;
    operator.stop();
    election.cancel(true);
  }

  /**
   * Time since anybody was seen to renew the lease; empty without leader election. One that grows
   * beyond the lease's duration means that nobody leads, and that this process fails to.
   */
  public Optional<Duration> leaseAge() {
    return Optional.ofNullable(lock).map(ObservedLock::age);
  }

  /** Whether this process waits for the lease that another one holds. */
  public boolean standsBy() {
    return lock != null && lock.heldByAnother();
  }

  /**
   * Makes the deserializers of what the informers list here. The client would make them in the
   * event loop, which takes seconds on a small machine, and meanwhile no lease is renewed.
   */
  private void warmUp() {
    var json = client.getKubernetesSerialization();
    for (Class<?> type : List.of(FineTuneJob.class, Job.class, Pod.class, Lease.class)) {
      json.unmarshal("{}", type);
    }
  }

  private void elect() {
    OperatorConfig.Lease lease = config.lease();
    String namespace = lease.namespace().or(this::ownNamespace).orElseThrow(Leadership::nowhere);
    lock = new ObservedLock(new LeaseLock(namespace, lease.name(), identity()), clock);
    var callbacks = new LeaderCallbacks(this::lead, this::lose, this::follow);
    election =
        client
            .leaderElector()
            .withConfig(
                new LeaderElectionConfig(
                    lock,
                    lease.duration(),
                    lease.renewDeadline(),
                    lease.retryPeriod(),
                    callbacks,
                    /* releaseOnCancel= */ true,
                    lease.name()))
            .build()
            .start();
  }

  private Optional<String> ownNamespace() {
    return Optional.ofNullable(client.getNamespace());
  }

  private static IllegalStateException nowhere() {
    return new IllegalStateException(
        "leader election needs a namespace for its lease, and the cluster configuration names none;"
            + " set FINETUNE_LEASE_NAMESPACE, or FINETUNE_LEADER_ELECTION=false for one replica");
  }

  /** In a thread of its own: the elector calls from the one that must go on to renew the lease. */
  private void lead() {
    LOG.info("leads; the operator starts");
    new Thread(this::startOperator, "operator-start").start();
  }

  private void startOperator() {
    try {
      operator.start();
    } catch (RuntimeException e) {
      LOG.error("the operator could not be started", e);
      endProcess.run();
    }
  }

  private void lose() {
    if (!stopping) {
      LOG.error("lost the lease; the process ends, so that nothing is done twice");
      endProcess.run();
    }
  }

  private void follow(String leader) {
    LOG.infof("the leader is %s", leader);
  }

  private static String identity() {
    String host = System.getenv("HOSTNAME");
    String name = host == null || host.isBlank() ? "operator" : host;
    // Two processes of one host, such as in a test, are two candidates.
    return name + "_" + UUID.randomUUID();
  }
}
