package dev.finetune.operator.metrics;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.operator.status.AttemptHistory;
import dev.finetune.operator.status.Conditions;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * The operator's own meters. Their labels take a phase, an outcome or a reason, never a job's name,
 * so that the number of series stays what it is however many jobs there are.
 */
@ApplicationScoped
public class FineTuneMetrics {
  private static final Duration[] JOB_DURATIONS = {
    Duration.ofMinutes(1),
    Duration.ofMinutes(10),
    Duration.ofHours(1),
    Duration.ofHours(4),
    Duration.ofHours(12),
    Duration.ofDays(1),
    Duration.ofDays(7)
  };
  private static final Duration[] START_DURATIONS = {
    Duration.ofSeconds(10),
    Duration.ofSeconds(30),
    Duration.ofMinutes(1),
    Duration.ofMinutes(5),
    Duration.ofMinutes(30),
    Duration.ofHours(2)
  };

  private final MeterRegistry registry;
  private final Clock clock;
  private final Counter statusWrites;
  private final Timer timeToFirstStep;
  private final Timer queueWait;
  private final Counter preemptions;

  FineTuneMetrics(MeterRegistry registry, Clock clock) {
    this.registry = registry;
    this.clock = clock;
    this.statusWrites =
        Counter.builder("finetune.status.writes")
            .description("Writes of a FineTuneJob's status.")
            .register(registry);
    this.timeToFirstStep =
        Timer.builder("finetune.time.to.first.step")
            .description("From a FineTuneJob's creation to its first optimizer step.")
            .serviceLevelObjectives(START_DURATIONS)
            .register(registry);
    this.queueWait =
        Timer.builder("finetune.queue.wait")
            .description("From an attempt's start, or its preemption, to its admission.")
            .serviceLevelObjectives(JOB_DURATIONS)
            .register(registry);
    this.preemptions =
        Counter.builder("finetune.preemptions")
            .description("Times that a queue took the GPUs of an attempt back.")
            .register(registry);
  }

  /** Counts one write of a status. */
  public void statusWritten() {
    statusWrites.increment();
  }

  /** Records what changed between two statuses; {@code previous} is null for a new job. */
  public void transition(FineTuneJob job, FineTuneJobStatus previous, FineTuneJobStatus next) {
    if (steps(previous) == 0 && steps(next) > 0) {
      timeToFirstStep.record(sinceCreation(job));
    }
    if (queued(previous) && !queued(next)) {
      queueWait.record(sinceQueued(previous));
    }
    preemptions.increment(Math.max(0, preemptions(next) - preemptions(previous)));
    if (AttemptHistory.running(previous).isPresent()) {
      AttemptHistory.last(AttemptHistory.of(next))
          .filter(attempt -> attempt.outcome() != AttemptOutcome.Running)
          .ifPresent(this::attemptEnded);
    }
    if (Conditions.terminal(next) && !Conditions.terminal(previous)) {
      boolean succeeded = Conditions.holds(next, ConditionType.Succeeded);
      String outcome = succeeded ? "Succeeded" : "Failed";
      Counter.builder("finetune.jobs.finished")
          .description("FineTuneJobs that ended for good.")
          .tag("outcome", outcome)
          .tag("reason", Conditions.runningReason(next).orElseThrow().name())
          .register(registry)
          .increment();
      Timer.builder("finetune.job.duration")
          .description("From a FineTuneJob's creation to its end.")
          .serviceLevelObjectives(JOB_DURATIONS)
          .tag("outcome", outcome)
          .register(registry)
          .record(sinceCreation(job));
    }
  }

  private void attemptEnded(Attempt attempt) {
    Counter.builder("finetune.attempts")
        .description("Attempts that ended.")
        .tag("reason", attempt.reason().name())
        .register(registry)
        .increment();
    if (attempt.gpuSeconds() != null) {
      Counter.builder("finetune.gpu.seconds")
          .description("GPUs times the seconds for which attempts held them.")
          .tag("outcome", attempt.outcome().name())
          .register(registry)
          .increment(attempt.gpuSeconds());
    }
  }

  private Duration sinceCreation(FineTuneJob job) {
    return since(Instant.parse(job.getMetadata().getCreationTimestamp()));
  }

  /** A preempted attempt has been in the queue since it lost its node, another since its start. */
  private Duration sinceQueued(FineTuneJobStatus status) {
    Instant start =
        AttemptHistory.running(status)
            .map(attempt -> Instant.parse(attempt.startTime()))
            .orElseGet(clock::instant);
    Instant released =
        Conditions.find(status, ConditionType.Scheduled)
            .map(scheduled -> Instant.parse(scheduled.getLastTransitionTime()))
            .orElse(start);
    return since(released.isAfter(start) ? released : start);
  }

  private Duration since(Instant time) {
    Duration age = Duration.between(time, clock.instant());
    // Clocks of two machines may differ by more than a quick job takes.
    return age.isNegative() ? Duration.ZERO : age;
  }

  private static boolean queued(FineTuneJobStatus status) {
    return status != null && status.phase() == Phase.QUEUED;
  }

  private static int preemptions(FineTuneJobStatus status) {
    return AttemptHistory.last(AttemptHistory.of(status))
        .map(Attempt::preemptions)
        .map(count -> count == null ? 0 : count)
        .orElse(0);
  }

  private static int steps(FineTuneJobStatus status) {
    return status == null || status.training() == null || status.training().step() == null
        ? 0
        : status.training().step();
  }
}
