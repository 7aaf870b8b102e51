package dev.finetune.operator.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The operator's settings. Each is a property {@code finetune.*} and an environment variable {@code
 * FINETUNE_*}, such as {@code FINETUNE_TRAINER_IMAGE}.
 */
@ConfigMapping(prefix = "finetune")
public interface OperatorConfig {

  /**
   * Namespaces to watch. Default all; then the operator needs a ClusterRole instead of Roles.
   *
   * @return the names, comma-separated in the property
   */
  Optional<List<String>> namespaces();

  /**
   * Whether file:// sources are accepted. They mean a folder of the node, so only a cluster that is
   * one machine, such as the embedded one, turns this on.
   */
  @WithDefault("false")
  boolean allowFileSources();

  /** Whether only one of several replicas works at a time. On in production. */
  @WithDefault("false")
  boolean leaderElection();

  /** The lease of {@link #leaderElection()}. */
  Lease lease();

  /** The trainer's pods. */
  Trainer trainer();

  /** How progress is read from a running trainer. */
  ProgressPolling progress();

  /** Every setting with its value, for the log; none of them is secret. */
  @Override
  String toString();

  /** The trainer's pods. */
  interface Trainer {
    /** Image of a job that names none. */
    @WithDefault("finetune-trainer:0.1.0")
    String image();

    /** When the node pulls the image: Always, IfNotPresent or Never. */
    @WithDefault("IfNotPresent")
    String imagePullPolicy();

    /** Numeric user that the trainer runs as; never 0. */
    @WithDefault("65532")
    long userId();

    /** Numeric group that owns what the trainer writes to its volumes. */
    @WithDefault("65532")
    long groupId();

    /**
     * Time between SIGTERM and SIGKILL. The trainer finishes its micro-batch and writes a
     * checkpoint in it.
     */
    @WithDefault("60s")
    Duration gracePeriod();

    @Override
    String toString();
  }

  /** How progress is read from a running trainer. */
  interface ProgressPolling {
    /**
     * Time between two questions to one trainer, and so the shortest between two status writes;
     * longer where more trainers run than {@link #perSecond()} lets be asked in it.
     */
    @WithDefault("10s")
    Duration interval();

    /** Longest wait for an answer; then the status keeps what it has until the next question. */
    @WithDefault("2s")
    Duration timeout();

    /**
     * Most questions a second, to all trainers together. Each answer leads to a status write at
     * most, so this also bounds what running jobs cost the API server.
     */
    @WithDefault("20")
    int perSecond();

    @Override
    String toString();
  }

  /** The lease that the leader holds. */
  interface Lease {
    /** Name of the Lease object. */
    @WithDefault("finetune-operator")
    String name();

    /** Its namespace. Default the operator's own. */
    Optional<String> namespace();

    /** Time after which a lease that nobody renewed may be taken. */
    @WithDefault("15s")
    Duration duration();

    /** Time after which a leader that can't renew gives up; less than {@link #duration()}. */
    @WithDefault("10s")
    Duration renewDeadline();

    /** Time between two tries to renew or take the lease. */
    @WithDefault("2s")
    Duration retryPeriod();

    @Override
    String toString();
  }
}
