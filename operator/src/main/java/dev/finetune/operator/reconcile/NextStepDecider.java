package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.RetryPolicy;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptHistory;
import dev.finetune.operator.status.Conditions;
import dev.finetune.operator.status.PodStage;
import dev.finetune.operator.validate.Violation;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The only decision in the operator: from what is asked, what is recorded and what is observed to
 * what to do now. Pure; the same arguments give the same step.
 */
final class NextStepDecider {
  /** A state that events end is looked at again after this, in case that an event was missed. */
  private static final Duration SAFETY_INTERVAL = Duration.ofMinutes(1);

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
      return new NextStep.Rest();
    }
    return AttemptHistory.running(status).map(this::decideRunning).orElseGet(this::decideIdle);
  }

  private NextStep decideRunning(Attempt attempt) {
    Optional<Job> child = observation.job(attempt.number());
    Optional<Pod> pod = observation.pod(attempt.number());
    if (child.isEmpty()) {
      return decideWithoutJob(attempt, pod);
    }
    if (Observation.complete(child.get())) {
      return new NextStep.Complete(AttemptEnd.succeeded(attempt, pod, now));
    }
    if (Observation.failed(child.get())) {
      return decideAfter(AttemptEnd.failed(attempt, pod, now));
    }
    boolean beingDeleted = child.get().getMetadata().getDeletionTimestamp() != null;
    if (suspendRequested() && !beingDeleted) {
      return new NextStep.Suspend(Optional.of(attempt.job()), suspendingText(attempt));
    }
    return new NextStep.KeepRunning(
        PodStage.of(attempt.job(), pod, observation.podRefusal()), node(pod));
  }

  /** Its Job is gone: by our hand, if the status says that we suspend it, or else by somebody's. */
  private NextStep decideWithoutJob(Attempt attempt, Optional<Pod> pod) {
    boolean ours = suspendRequested() || deletedByUs();
    if (observation.unfinishedPod().isPresent()) {
      return ours
          ? new NextStep.Suspend(Optional.empty(), suspendingText(attempt))
          : new NextStep.KeepRunning(
              PodStage.of(attempt.job(), pod, observation.podRefusal()), node(pod));
    }
    if (!ours) {
      return decideAfter(AttemptEnd.jobDeleted(attempt, pod, now));
    }
    AttemptEnd end = AttemptEnd.suspended(attempt, pod, now);
    return suspendRequested() ? new NextStep.StaySuspended(Optional.of(end)) : decideAfter(end);
  }

  private NextStep decideAfter(AttemptEnd end) {
    Attempt attempt = end.attempt();
    if (!end.retryable()) {
      return new NextStep.Fail(
          end,
          "Attempt "
              + attempt.number()
              + " failed, and another one would too: "
              + attempt.message());
    }
    int failures = failures() + (attempt.outcome() == AttemptOutcome.Failed ? 1 : 0);
    int maxRestarts = maxRestarts();
    if (failures > maxRestarts) {
      return new NextStep.Fail(
          end,
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
    Optional<Pod> leftover = observation.unfinishedPod();
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
          SAFETY_INTERVAL);
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

  private boolean deletedByUs() {
    return Conditions.find(status, ConditionType.Running)
        .filter(running -> ConditionReason.SuspendRequested.name().equals(running.getReason()))
        .isPresent();
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

  private static Optional<String> node(Optional<Pod> pod) {
    return pod.map(each -> each.getSpec().getNodeName());
  }

  private static String suspendingText(Attempt attempt) {
    return "Attempt " + attempt.number() + " is saving a checkpoint and ends, as spec.suspend asks";
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
