package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobSpec;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.validate.Violation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The next status of a FineTuneJob, from its previous one and what happened. One method per thing
 * that can happen; each returns a whole status, which is patched only where it differs.
 */
public final class StatusCalculator {
  private final FineTuneJobStatus previous;
  private final Long generation;
  private final List<Violation> violations;
  private final Instant now;
  private final int gpus;
  private final Conditions conditions;

  /**
   * A calculator for one pass.
   *
   * @param violations the rules that the spec breaks; they show in Accepted, whatever else happens
   */
  public StatusCalculator(FineTuneJob job, List<Violation> violations, Instant now) {
    this.previous = job.getStatus() == null ? FineTuneJobStatus.NONE : job.getStatus();
    this.generation = job.getMetadata().getGeneration();
    this.violations = violations;
    this.now = now;
    this.gpus = gpus(job.getSpec());
    this.conditions = new Conditions(previous, generation, now);
  }

  /** The spec breaks a rule, and no attempt runs. */
  public FineTuneJobStatus rejected() {
    return idle(ConditionReason.InvalidSpec, violationText());
  }

  /** Nothing runs, for a reason that passes. */
  public FineTuneJobStatus waiting(ConditionReason reason, String message) {
    return idle(reason, message);
  }

  /** The API server refused the next attempt's children. */
  public FineTuneJobStatus childRefused(String message) {
    return idle(ConditionReason.ChildRefused, message);
  }

  /** An attempt's Job was created. */
  public FineTuneJobStatus started(int number, String job) {
    String message = "Attempt " + number + " starts: Job " + job + " is created";
    mark(false, false, ConditionReason.JobCreated, message);
    notSuspended();
    return status(
        message,
        stored(),
        AttemptHistory.started(AttemptHistory.of(previous), number, job, now),
        previous.failedAttempts());
  }

  /** An attempt goes on. */
  public FineTuneJobStatus running(PodStage stage, String node, Progress progress) {
    mark(stage.scheduled(), stage.running(), stage.reason(), stage.message());
    notSuspended();
    return status(
        stage.message(),
        ProgressMerge.merge(previous, progress),
        AttemptHistory.onNode(resumed(progress), node),
        previous.failedAttempts());
  }

  /** An attempt was told to end by {@code spec.suspend} and has not ended yet. */
  public FineTuneJobStatus suspending(String message, Progress progress) {
    boolean wasScheduled = conditions.holds(ConditionType.Scheduled);
    boolean wasRunning = conditions.holds(ConditionType.Running);
    mark(wasScheduled, wasRunning, ConditionReason.SuspendRequested, message);
    conditions.set(ConditionType.Suspended, false, ConditionReason.SuspendRequested, message);
    return status(
        message,
        ProgressMerge.merge(previous, progress),
        resumed(progress),
        previous.failedAttempts());
  }

  /** Nothing runs, as {@code spec.suspend} asks. */
  public FineTuneJobStatus suspended() {
    String message = "Suspended; set spec.suspend to false to go on";
    mark(false, false, ConditionReason.SuspendRequested, message);
    conditions.set(ConditionType.Suspended, true, ConditionReason.SuspendRequested, message);
    return status(message, stored(), previous.attempts(), previous.failedAttempts());
  }

  /** As {@link #suspended()}, by the end of an attempt. */
  public FineTuneJobStatus suspended(AttemptEnd end) {
    FineTuneJobStatus suspended = suspended();
    return withEnd(suspended.message(), end);
  }

  /** An attempt ended and another follows. */
  public FineTuneJobStatus restarting(AttemptEnd end, String message) {
    mark(false, false, ConditionReason.BackingOff, message);
    notSuspended();
    return withEnd(message, end);
  }

  /** The last attempt wrote the adapter. */
  public FineTuneJobStatus succeeded(AttemptEnd end) {
    String message = "The adapter is written";
    mark(false, false, ConditionReason.Completed, message);
    notSuspended();
    conditions.set(ConditionType.Succeeded, true, ConditionReason.Completed, message);
    return withEnd(message, end);
  }

  /** The last attempt failed and none follows. */
  public FineTuneJobStatus failed(AttemptEnd end, String message) {
    ConditionReason reason = end.attempt().reason();
    mark(false, false, reason, message);
    notSuspended();
    conditions.set(ConditionType.Failed, true, reason, message);
    return withEnd(message, end);
  }

  /** It has ended; an edit of its spec is answered and changes nothing. */
  public FineTuneJobStatus resting() {
    return Objects.equals(previous.observedGeneration(), generation)
        ? previous
        : status(previous.message(), stored(), previous.attempts(), previous.failedAttempts());
  }

  private FineTuneJobStatus idle(ConditionReason reason, String message) {
    mark(false, false, reason, message);
    notSuspended();
    return status(message, stored(), previous.attempts(), previous.failedAttempts());
  }

  private void mark(boolean scheduled, boolean running, ConditionReason reason, String message) {
    boolean trains =
        reason == ConditionReason.TrainerRunning || reason == ConditionReason.PodStarting;
    conditions.set(
        ConditionType.Scheduled,
        scheduled,
        trains ? ConditionReason.PodScheduled : reason,
        trains ? "The pod has a node" : message);
    conditions.set(ConditionType.Running, running, reason, message);
  }

  private void notSuspended() {
    conditions.set(
        ConditionType.Suspended, false, ConditionReason.NotSuspended, "spec.suspend is not true");
  }

  private FineTuneJobStatus withEnd(String message, AttemptEnd end) {
    Progress merged = ProgressMerge.merge(previous, end.progress());
    List<Attempt> attempts = AttemptHistory.ended(resumed(end.progress()), end.attempt());
    attempts = AttemptHistory.withGpuSeconds(attempts, gpuSeconds(end.attempt()));
    attempts = AttemptHistory.lost(attempts, merged);
    int failed = Objects.requireNonNullElse(previous.failedAttempts(), 0);
    boolean counts = end.attempt().outcome() == AttemptOutcome.Failed;
    return status(message, merged, attempts, failed + (counts ? 1 : 0));
  }

  /** By the status's own memory of when the pod got its node. */
  private long gpuSeconds(Attempt ended) {
    return Conditions.find(previous, ConditionType.Scheduled)
        .filter(condition -> "True".equals(condition.getStatus()))
        .map(condition -> Instant.parse(condition.getLastTransitionTime()))
        .map(start -> Duration.between(start, Instant.parse(ended.endTime())).toSeconds())
        .map(seconds -> gpus * Math.max(0, seconds))
        .orElse(0L);
  }

  private static int gpus(FineTuneJobSpec spec) {
    return spec == null || spec.resources() == null || spec.resources().gpusPerNode() == null
        ? 0
        : spec.resources().gpusPerNode();
  }

  private List<Attempt> resumed(Progress progress) {
    Integer stepBefore = previous.training() == null ? null : previous.training().step();
    return AttemptHistory.resumed(AttemptHistory.of(previous), stepBefore, progress);
  }

  private Progress stored() {
    return ProgressMerge.merge(previous, Progress.NONE);
  }

  private String violationText() {
    return violations.stream().map(Violation::toString).collect(Collectors.joining("; "));
  }

  private FineTuneJobStatus status(
      String message, Progress progress, List<Attempt> attempts, Integer failedAttempts) {
    acceptance();
    outcome(ConditionType.Succeeded);
    outcome(ConditionType.Failed);
    return new FineTuneJobStatus(
        generation,
        conditions.phase(),
        message,
        conditions.toList(),
        progress.training(),
        progress.epochs(),
        progress.checkpoints(),
        progress.dataset(),
        progress.parameters(),
        progress.result(),
        attempts,
        failedAttempts,
        previous.activeSeconds(),
        previous.lastProgressTime());
  }

  private void acceptance() {
    if (violations.isEmpty()) {
      conditions.set(
          ConditionType.Accepted, true, ConditionReason.Valid, "The spec passed every check");
    } else {
      conditions.set(ConditionType.Accepted, false, ConditionReason.InvalidSpec, violationText());
    }
  }

  private void outcome(ConditionType type) {
    if (!conditions.holds(type)) {
      conditions.set(type, false, ConditionReason.InProgress, "Training has not ended");
    }
  }
}
