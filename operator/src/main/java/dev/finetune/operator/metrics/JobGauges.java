package dev.finetune.operator.metrics;

import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.operator.status.Conditions;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Gauges over all jobs, read from the informer's cache at each scrape, so that a deleted job leaves
 * them.
 */
@ApplicationScoped
public class JobGauges {
  private final MeterRegistry registry;
  private final Clock clock;

  /** When each running job's trainer last answered, by the job's uid. */
  private final Map<String, Instant> answered = new ConcurrentHashMap<>();

  JobGauges(MeterRegistry registry, Clock clock) {
    this.registry = registry;
    this.clock = clock;
  }

  /** Registers the gauges over the jobs that {@code jobs} lists. */
  public void register(Supplier<Stream<FineTuneJob>> jobs) {
    for (Phase phase : Phase.values()) {
      Gauge.builder("finetune.jobs", () -> jobs.get().filter(job -> phase(job) == phase).count())
          .description("FineTuneJobs by phase.")
          .tag("phase", phase.name().charAt(0) + phase.name().substring(1).toLowerCase(Locale.ROOT))
          .register(registry);
    }
    Gauge.builder("finetune.progress.age", () -> oldestProgress(jobs.get()))
        .description("Longest time since a running trainer answered.")
        .baseUnit("seconds")
        .register(registry);
  }

  /** Notes that a job's trainer answered now. */
  public void progressed(FineTuneJob job) {
    answered.put(job.getMetadata().getUid(), clock.instant());
  }

  private double oldestProgress(Stream<FineTuneJob> jobs) {
    Map<String, Instant> running = new ConcurrentHashMap<>();
    jobs.filter(job -> phase(job) == Phase.RUNNING)
        .forEach(job -> running.put(job.getMetadata().getUid(), lastAnswer(job)));
    answered.keySet().retainAll(running.keySet());
    return running.values().stream()
        .mapToLong(time -> Duration.between(time, clock.instant()).toSeconds())
        .max()
        .orElse(0);
  }

  /** A trainer that has never answered is as old as its start. */
  private Instant lastAnswer(FineTuneJob job) {
    return Optional.ofNullable(answered.get(job.getMetadata().getUid()))
        .orElseGet(
            () ->
                Conditions.find(job.getStatus(), ConditionType.Running)
                    .map(condition -> Instant.parse(condition.getLastTransitionTime()))
                    .orElseGet(clock::instant));
  }

  private static Phase phase(FineTuneJob job) {
    FineTuneJobStatus status = job.getStatus();
    return status == null || status.phase() == null ? Phase.PENDING : status.phase();
  }
}
