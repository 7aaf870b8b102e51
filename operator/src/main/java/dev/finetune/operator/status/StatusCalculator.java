package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.resources.Ranks;
import dev.finetune.operator.validate.Violation;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
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
  private long activeSeconds;
  private String lastProgressTime;

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
    this.gpus = Ranks.of(job).gpus();
    this.conditions = new Conditions(previous, generation, now);
    this.activeSeconds = HeldTime.before(previous);
    this.lastProgressTime = previous.lastProgressTime();
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

  /**
   * An attempt goes on.
   *
   * @param pods those that are there
   * @param answer what its trainer answered
   */
  public FineTuneJobStatus running(PodStage stage, AttemptPods pods, Progress answer) {
    HeldTime held = HeldTime.of(previous, AttemptPods.NONE, now, gpus);
    boolean released = conditions.holds(ConditionType.Scheduled) && !stage.scheduled();
    if (conditions.holds(ConditionType.Running) && !stage.running()) {
      activeSeconds += held.runningSeconds();
    }
    mark(stage.scheduled(), stage.running(), stage.reason(), stage.message());
    notSuspended();
    Progress progress = said(pods.first(), answer);
    List<Attempt> attempts =
        AttemptHistory.onNode(
            resumed(progress), pods.first().map(each -> each.getSpec().getNodeName()).orElse(null));
    if (preempts(stage)) {
      attempts = AttemptHistory.preempted(attempts);
    }
    if (released) {
      attempts = AttemptHistory.addGpuSeconds(attempts, held.gpuSeconds());
    }
    return status(stage.message(), changed(progress), attempts, previous.failedAttempts());
  }

  /**
   * The operator has told an attempt to end, and it has not ended yet.
   *
   * @param reason why it must; the status keeps it until the end is there
   */
  public FineTuneJobStatus ending(
      ConditionReason reason, String message, AttemptPods pods, Progress answer) {
    boolean wasScheduled = conditions.holds(ConditionType.Scheduled);
    boolean wasRunning = conditions.holds(ConditionType.Running);
    mark(wasScheduled, wasRunning, reason, message);
    notSuspended();
    if (reason == ConditionReason.SuspendRequested) {
      conditions.set(ConditionType.Suspended, false, reason, message);
    }
    Progress progress = said(pods.first(), answer);
    List<Attempt> attempts = resumed(progress);
    Optional<ContainerStateTerminated> exit = pods.first().flatMap(PodFacts::terminated);
    if (exit.isPresent()) {
      attempts = AttemptHistory.exited(attempts, exit.get());
    }
    return status(message, changed(progress), attempts, previous.failedAttempts());
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

  /**
   * The job failed for good.
   *
   * @param end that of the attempt which this ends; empty where none ran
   */
  public FineTuneJobStatus failed(
      Optional<AttemptEnd> end, ConditionReason reason, String message) {
    mark(false, false, reason, message);
    notSuspended();
    conditions.set(ConditionType.Failed, true, reason, message);
    return end.map(each -> withEnd(message, each))
        .orElseGet(() -> status(message, stored(), previous.attempts(), previous.failedAttempts()));
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
        trains ? "Every pod has a node" : message);
    conditions.set(ConditionType.Running, running, reason, message);
  }

  private void notSuspended() {
    conditions.set(
        ConditionType.Suspended, false, ConditionReason.NotSuspended, "spec.suspend is not true");
  }

  private FineTuneJobStatus withEnd(String message, AttemptEnd end) {
    Progress merged = ProgressMerge.merge(previous, end.progress());
    HeldTime held = HeldTime.of(previous, end.pods(), Instant.parse(end.attempt().endTime()), gpus);
    activeSeconds += held.runningSeconds();
    List<Attempt> attempts = AttemptHistory.ended(resumed(end.progress()), end.attempt());
    attempts = AttemptHistory.addGpuSeconds(attempts, held.gpuSeconds());
    attempts = AttemptHistory.lost(attempts, merged);
    int failed = Objects.requireNonNullElse(previous.failedAttempts(), 0);
    boolean counts = end.attempt().outcome() == AttemptOutcome.Failed;
    return status(message, merged, attempts, failed + (counts ? 1 : 0));
  }

  /** The queue takes the GPUs back: said once, when it is seen first. */
  private boolean preempts(PodStage stage) {
    boolean queue =
        stage.reason() == ConditionReason.Preempted || stage.reason() == ConditionReason.Queued;
    boolean known =
        Conditions.runningReason(previous).filter(ConditionReason.Preempted::equals).isPresent();
    return queue && !known && Conditions.holds(previous, ConditionType.Scheduled);
  }

  /** A pod that is being deleted takes its last words with it, so they are read at once. */
  private static Progress said(Optional<Pod> pod, Progress answer) {
    return pod.filter(each -> each.getMetadata().getDeletionTimestamp() != null)
        .flatMap(PodFacts::terminated)
        .map(terminated -> LastWords.of(terminated).progress())
        .filter(words -> words != null && !words.equals(Progress.NONE))
        .orElse(answer);
  }

  /** What is known of the training now, and when it became known. */
  private Progress changed(Progress progress) {
    Progress merged = ProgressMerge.merge(previous, progress);
    if (!merged.equals(stored())) {
      lastProgressTime = now.truncatedTo(ChronoUnit.SECONDS).toString();
    }
    return merged;
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
        activeSeconds == 0 ? null : Long.valueOf(activeSeconds),
        lastProgressTime);
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
