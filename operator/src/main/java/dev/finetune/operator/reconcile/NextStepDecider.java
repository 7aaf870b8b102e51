package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.Deadlines;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.RetryPolicy;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.reconcile.AttemptDeadlines.Deadline;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptHistory;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.Conditions;
import dev.finetune.operator.status.HeldTime;
import dev.finetune.operator.status.PodStage;
import dev.finetune.operator.validate.Violation;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The only decision in the operator: from what is asked, what is recorded and what is observed to
 * what to do now. Pure; the same arguments give the same step.
 */
final class NextStepDecider {
  /** The operator's own reasons to end an attempt; the status keeps one until the end is there. */
  private static final Set<ConditionReason> ENDINGS =
      EnumSet.of(
          ConditionReason.SuspendRequested,
          ConditionReason.PendingDeadlineExceeded,
          ConditionReason.ActiveDeadlineExceeded,
          ConditionReason.Stalled,
          ConditionReason.Disrupted);

  /** How long a pod may take to start without a word about it. */
  private static final Duration SETTLING = Duration.ofSeconds(10);

  private final FineTuneJob job;
  private final FineTuneJobStatus status;
  private final List<Violation> violations;
  private final Observation observation;
  private final Instant now;

  private NextStepDecider(
      FineTuneJob job, List<Violation> violations, Observation observation, Instant now) {
    this.job = job;
    this.status = job.getStatus();
    this.violations = violations;
    this.observation = observation;
    this.now = now;
  }

  /**
   * Decides.
   *
   * @param violations the rules that the spec breaks; a running attempt isn't ended for them
   */
  static NextStep decide(
      FineTuneJob job, List<Violation> violations, Observation observation, Instant now) {
    return new NextStepDecider(job, violations, observation, now).decide();
  }

  private NextStep decide() {
    if (Conditions.terminal(status)) {
      return Retention.decide(job, observation, now);
    }
    return AttemptHistory.running(status).map(this::decideRunning).orElseGet(this::decideIdle);
  }

  private NextStep decideRunning(Attempt attempt) {
    Optional<Job> child = observation.job(attempt.number());
    AttemptPods pods = observation.pods(attempt.number());
    // A trainer that ended well doesn't end otherwise any more, whatever becomes of its Job. That
    // says the same two writes later.
    if (AttemptEnd.done(attempt, pods) || child.filter(Observation::complete).isPresent()) {
      return new NextStep.Complete(AttemptEnd.succeeded(attempt, pods, now));
    }
    if (child.isEmpty()) {
      return decideWithoutJob(attempt, pods);
    }
    if (Observation.failed(child.get()) && !stillEnding(pods)) {
      return ending()
          .map(reason -> decideEnded(attempt, reason, pods))
          .orElseGet(() -> decideAfter(AttemptEnd.failed(attempt, pods, now)));
    }
    Optional<String> undeleted =
        Optional.of(attempt.job())
            .filter(name -> child.get().getMetadata().getDeletionTimestamp() == null);
    if (suspendRequested() && undeleted.isPresent()) {
      return new NextStep.EndAttempt(
          undeleted, ConditionReason.SuspendRequested, suspendingText(attempt), pods);
    }
    if (ending().isPresent()) {
      return new NextStep.EndAttempt(undeleted, ending().get(), status.message(), pods);
    }
    return decideAlive(attempt, child.get(), pods);
  }

  /** Kubernetes says that a Job has failed when its pods have ended: how, is about to be heard. */
  private boolean stillEnding(AttemptPods pods) {
    return pods.stream()
        .filter(each -> each.getMetadata().getDeletionTimestamp() != null)
        .anyMatch(each -> !Observation.ended(each) && !Observation.lost(each, now));
  }

  private NextStep decideAlive(Attempt attempt, Job child, AttemptPods pods) {
    PodStage stage = PodStage.of(child, pods, observation.podRefusal());
    List<Deadline> deadlines =
        new AttemptDeadlines(job, attempt, child, pods, stage, observation, now).all();
    Optional<Deadline> next = deadlines.stream().min(Comparator.comparing(Deadline::time));
    if (next.isPresent() && !next.get().time().isAfter(now)) {
      return new NextStep.EndAttempt(
          Optional.of(attempt.job()), next.get().reason(), next.get().message(), pods);
    }
    Optional<Duration> left = next.map(deadline -> until(deadline.time()));
    Instant settled = Instant.parse(attempt.startTime()).plus(SETTLING);
    return stage.passing() && settled.isAfter(now)
        ? new NextStep.Settle(
            left.filter(each -> each.compareTo(until(settled)) < 0).orElse(until(settled)))
        : new NextStep.KeepRunning(stage, pods, left);
  }

  /** Its Job is gone: by our hand, if the status says so, or else by somebody's. */
  private NextStep decideWithoutJob(Attempt attempt, AttemptPods pods) {
    Optional<ConditionReason> ours =
        ending()
            .or(
                () ->
                    suspendRequested()
                        ? Optional.of(ConditionReason.SuspendRequested)
                        : Optional.empty());
    if (observation.unfinishedPod(now).isPresent()) {
      return ours.<NextStep>map(
              reason ->
                  new NextStep.EndAttempt(Optional.empty(), reason, endingText(attempt), pods))
          .orElseGet(
              () ->
                  new NextStep.KeepRunning(
                      PodStage.of(attempt.job(), pods, observation.podRefusal()),
                      pods,
                      firstLoss(pods).map(this::until)));
    }
    return ours.map(reason -> decideEnded(attempt, reason, pods))
        .orElseGet(() -> decideAfter(AttemptEnd.jobDeleted(attempt, pods, now)));
  }

  private static Optional<Instant> firstLoss(AttemptPods pods) {
    return pods.stream()
        .filter(pod -> !Observation.ended(pod))
        .flatMap(pod -> Observation.lostTime(pod).stream())
        .min(Comparator.naturalOrder());
  }

  /** The attempt that the operator ended is over. */
  private NextStep decideEnded(Attempt attempt, ConditionReason reason, AttemptPods pods) {
    AttemptEnd end = AttemptEnd.byOperator(attempt, reason, status.message(), pods, now);
    return switch (reason) {
      case SuspendRequested ->
          suspendRequested() ? new NextStep.StaySuspended(Optional.of(end)) : decideAfter(end);
      case PendingDeadlineExceeded -> new NextStep.Fail(Optional.of(end), reason, status.message());
      case ActiveDeadlineExceeded ->
          new NextStep.Fail(Optional.of(end), reason, outOfTimeText(end.progress().checkpoints()));
      default -> decideAfter(end);
    };
  }

  private NextStep decideAfter(AttemptEnd end) {
    Attempt attempt = end.attempt();
    if (!end.retryable()) {
      return new NextStep.Fail(
          Optional.of(end),
          attempt.reason(),
          "Attempt "
              + attempt.number()
              + " failed, and another one would too: "
              + attempt.message());
    }
    int failures = failures() + (attempt.outcome() == AttemptOutcome.Failed ? 1 : 0);
    int maxRestarts = maxRestarts();
    if (failures > maxRestarts) {
      return new NextStep.Fail(
          Optional.of(end),
          attempt.reason(),
          "Attempt "
              + attempt.number()
              + " failed and spec.retry.maxRestarts is "
              + maxRestarts
              + ": "
              + attempt.message());
    }
    List<Attempt> attempts = AttemptHistory.ended(AttemptHistory.of(status), attempt);
    Instant start = Backoff.end(job.getSpec().retry(), attempts, failures);
    return new NextStep.Restart(end, backingOffText(attempt, start), until(start));
  }

  private NextStep decideIdle() {
    Optional<Pod> leftover = observation.unfinishedPod(now);
    if (suspendRequested()) {
      return new NextStep.StaySuspended(Optional.empty());
    }
    if (!violations.isEmpty()) {
      return new NextStep.Reject();
    }
    if (leftover.isPresent()) {
      return new NextStep.Wait(
          ConditionReason.Starting,
          "Waiting for pod "
              + leftover.get().getMetadata().getName()
              + " of an earlier attempt to end",
          Observation.lostTime(leftover.get())
              .map(this::until)
              .filter(left -> left.compareTo(NextStep.SAFETY_INTERVAL) < 0)
              .orElse(NextStep.SAFETY_INTERVAL));
    }
    if (outOfTime()) {
      return new NextStep.Fail(
          Optional.empty(),
          ConditionReason.ActiveDeadlineExceeded,
          outOfTimeText(status.checkpoints()));
    }
    List<Attempt> attempts = AttemptHistory.of(status);
    Optional<Attempt> last = AttemptHistory.last(attempts);
    if (last.isEmpty()) {
      return new NextStep.StartAttempt(1);
    }
    Instant start = Backoff.end(job.getSpec().retry(), attempts, failures());
    if (start.isAfter(now)) {
      return new NextStep.Wait(
          ConditionReason.BackingOff, backingOffText(last.get(), start), until(start));
    }
    return new NextStep.StartAttempt(last.get().number() + 1);
  }

  private boolean suspendRequested() {
    return job.getSpec() != null && Boolean.TRUE.equals(job.getSpec().suspend());
  }

  private Optional<ConditionReason> ending() {
    return Conditions.runningReason(status).filter(ENDINGS::contains);
  }

  /** Whether the trainer may not run any more, such as after activeSeconds was lowered. */
  private boolean outOfTime() {
    Deadlines deadlines = job.getSpec().deadlines();
    return deadlines != null
        && deadlines.activeSeconds() != null
        && HeldTime.active(status, AttemptPods.NONE, now) >= deadlines.activeSeconds();
  }

  private int failures() {
    return Objects.requireNonNullElse(status == null ? null : status.failedAttempts(), 0);
  }

  private int maxRestarts() {
    RetryPolicy retry = job.getSpec().retry();
    return retry == null || retry.maxRestarts() == null ? 0 : retry.maxRestarts();
  }

  private Duration until(Instant start) {
    Duration left = Duration.between(now, start);
    return left.isNegative() ? Duration.ZERO : left;
  }

  private static String suspendingText(Attempt attempt) {
    return "Attempt " + attempt.number() + " is saving a checkpoint and ends, as spec.suspend asks";
  }

  /** That of the pass that began the end, or of spec.suspend where that pass got no further. */
  private String endingText(Attempt attempt) {
    return ending().isPresent() ? status.message() : suspendingText(attempt);
  }

  /**
   * @param said by the trainer at its end; null where it said nothing
   */
  private String outOfTimeText(Checkpoints said) {
    Checkpoints known = said != null ? said : status.checkpoints();
    String where =
        known == null || known.latest() == null
            ? "it has saved no checkpoint"
            : "its newest checkpoint is "
                + known.latest().location()
                + "; a FineTuneJob of another name with the same recipe goes on from there";
    return "The trainer has run for spec.deadlines.activeSeconds ("
        + job.getSpec().deadlines().activeSeconds()
        + "); "
        + where;
  }

  private static String backingOffText(Attempt attempt, Instant start) {
    return "Attempt "
        + attempt.number()
        + " ended ("
        + attempt.reason()
        + ": "
        + attempt.message()
        + "); attempt "
        + (attempt.number() + 1)
        + " starts at "
        + start;
  }
}
