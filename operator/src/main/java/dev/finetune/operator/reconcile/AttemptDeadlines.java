package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.Deadlines;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.Conditions;
import dev.finetune.operator.status.HeldTime;
import dev.finetune.operator.status.PodStage;
import dev.finetune.operator.status.QueueState;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The moments at which a running attempt is to be ended, from facts that a restart of the operator
 * doesn't change: the cluster's own times, and those in the status.
 */
final class AttemptDeadlines {

  /** One moment, and what is said when it has come. */
  record Deadline(Instant time, ConditionReason reason, String message) {}

  private final Deadlines limits;
  private final FineTuneJobStatus status;
  private final Attempt attempt;
  private final Job child;
  private final AttemptPods pods;
  private final PodStage stage;
  private final Observation observation;
  private final Instant now;

  AttemptDeadlines(
      FineTuneJob job,
      Attempt attempt,
      Job child,
      AttemptPods pods,
      PodStage stage,
      Observation observation,
      Instant now) {
    Deadlines given = job.getSpec() == null ? null : job.getSpec().deadlines();
    this.limits = given == null ? new Deadlines(null, null, null) : given;
    this.status = job.getStatus();
    this.attempt = attempt;
    this.child = child;
    this.pods = pods;
    this.stage = stage;
    this.observation = observation;
    this.now = now;
  }

  /** All that are known, whether they have come or not. */
  List<Deadline> all() {
    var deadlines = new ArrayList<Deadline>();
    if (QueueState.waits(child)) {
      return deadlines;
    }
    lost().ifPresent(deadlines::add);
    if (stage.running()) {
      active().ifPresent(deadlines::add);
      stalled().ifPresent(deadlines::add);
    } else {
      pending().ifPresent(deadlines::add);
    }
    return deadlines;
  }

  private Optional<Deadline> lost() {
    return pods.stream()
        .filter(pod -> !Observation.ended(pod))
        .flatMap(pod -> lost(pod).stream())
        .min(Comparator.comparing(Deadline::time));
  }

  private static Optional<Deadline> lost(Pod pod) {
    return Observation.lostTime(pod)
        .map(
            time ->
                new Deadline(
                    time,
                    ConditionReason.Disrupted,
                    "Node "
                        + pod.getSpec().getNodeName()
                        + " doesn't answer: pod "
                        + pod.getMetadata().getName()
                        + " should be gone, and is not"));
  }

  private Optional<Deadline> pending() {
    if (limits.pendingSeconds() == null) {
      return Optional.empty();
    }
    return pendingSince()
        .map(
            since ->
                new Deadline(
                    since.plusSeconds(limits.pendingSeconds()),
                    ConditionReason.PendingDeadlineExceeded,
                    "No trainer ran within spec.deadlines.pendingSeconds ("
                        + limits.pendingSeconds()
                        + "): "
                        + stage.message()));
  }

  /**
   * A queued Job's startTime is that of its admission; Kubernetes takes it away with suspension.
   */
  private Optional<Instant> pendingSince() {
    if (!QueueState.waited(child)) {
      return Optional.of(Instant.parse(attempt.startTime()));
    }
    String admitted = child.getStatus() == null ? null : child.getStatus().getStartTime();
    return Optional.ofNullable(admitted).map(Instant::parse);
  }

  private Optional<Deadline> active() {
    if (limits.activeSeconds() == null) {
      return Optional.empty();
    }
    long left = limits.activeSeconds() - HeldTime.active(status, pods, now);
    return Optional.of(
        new Deadline(
            now.plusSeconds(left),
            ConditionReason.ActiveDeadlineExceeded,
            "The trainer has run for spec.deadlines.activeSeconds ("
                + limits.activeSeconds()
                + ")"));
  }

  /**
   * Only of a trainer that was reached now: one that can't be reached may well train, and a broken
   * network must not end every job. A trainer that hangs does take the question. Where rank 0 has
   * ended well it is the others that hang.
   */
  private Optional<Deadline> stalled() {
    int limit = Objects.requireNonNullElse(limits.stallSeconds(), 0);
    if (limit == 0) {
      return Optional.empty();
    }
    Instant since = lastMove();
    Instant time = since.plusSeconds(limit);
    return observation.reached() || AttemptEnd.doneByFirst(pods) || time.isAfter(now)
        ? Optional.of(
            new Deadline(
                time,
                ConditionReason.Stalled,
                "The trainer has shown no progress since "
                    + since
                    + ", longer than spec.deadlines.stallSeconds ("
                    + limit
                    + ")"))
        : Optional.empty();
  }

  /** The last change of the progress, or the start of this trainer, which has yet to show any. */
  private Instant lastMove() {
    Instant progress =
        Optional.ofNullable(status.lastProgressTime()).map(Instant::parse).orElse(Instant.MIN);
    Instant start =
        Conditions.find(status, ConditionType.Running)
            .filter(running -> "True".equals(running.getStatus()))
            .map(running -> Instant.parse(running.getLastTransitionTime()))
            .orElse(now);
    return progress.isAfter(start) ? progress : start;
  }
}
