package dev.finetune.operator.metrics;

import static dev.finetune.operator.Scenes.NOW;
import static dev.finetune.operator.Scenes.applied;
import static dev.finetune.operator.Scenes.endedPod;
import static dev.finetune.operator.Scenes.job;
import static dev.finetune.operator.Scenes.progress;
import static dev.finetune.operator.Scenes.runningPod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.PodStage;
import dev.finetune.operator.status.StatusCalculator;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class FineTuneMetricsTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final FineTuneJob job = applied();

  @Test
  void aLifeIsMeasuredOnceFromItsTransitions() {
    next(status -> status.started(1, "tune-1"));
    next(status -> running(status, Progress.NONE));
    next(status -> running(status, progress(1, 0, null)));
    next(status -> running(status, progress(2, 0, null)));
    var failed = end(70);
    next(status -> status.restarting(failed, "again"));
    next(status -> status.started(2, "tune-2"));
    var done =
        AttemptEnd.succeeded(
            job.getStatus().attempts().get(1),
            AttemptPods.of(endedPod(2, 0, "Completed", "")),
            NOW);
    next(status -> status.succeeded(done));

    var firstStep = registry.get("finetune.time.to.first.step").timer();
    assertThat(firstStep.count()).isEqualTo(1);
    assertThat(firstStep.totalTime(TimeUnit.SECONDS)).isEqualTo(600);
    assertThat(attempts("InternalError")).isEqualTo(1);
    assertThat(attempts("Completed")).isEqualTo(1);
    assertThat(gpuSeconds("Failed")).isEqualTo(360);
    assertThat(gpuSeconds("Succeeded")).isEqualTo(360);
    var duration = registry.get("finetune.job.duration").tag("outcome", "Succeeded").timer();
    assertThat(duration.count()).isEqualTo(1);
    assertThat(duration.totalTime(TimeUnit.SECONDS)).isEqualTo(600);
  }

  @Test
  void theTimeInAQueueAndEachPreemptionAreMeasured() {
    next(NOW, status -> status.started(1, "tune-1"));
    next(NOW.plusSeconds(1), status -> stage(status, job(1, null)));
    assertThat(registry.find("finetune.queue.wait").timer().count()).isZero();
    next(NOW.plusSeconds(41), status -> running(status, Progress.NONE));
    next(NOW.plusSeconds(100), status -> stage(status, job(1, null)));
    next(NOW.plusSeconds(103), status -> running(status, Progress.NONE));

    var wait = registry.get("finetune.queue.wait").timer();
    assertThat(wait.count()).isEqualTo(2);
    assertThat(wait.totalTime(TimeUnit.SECONDS)).as("41 until admitted, then 3").isEqualTo(44);
    assertThat(registry.get("finetune.preemptions").counter().count()).isEqualTo(1);
  }

  @Test
  void theEndOfAJobIsCountedWithItsReason() {
    next(status -> status.started(1, "tune-1"));
    next(
        status ->
            status.failed(Optional.empty(), ConditionReason.PendingDeadlineExceeded, "too late"));

    assertThat(
            registry
                .get("finetune.jobs.finished")
                .tags("outcome", "Failed", "reason", "PendingDeadlineExceeded")
                .counter()
                .count())
        .isEqualTo(1);
  }

  @Test
  void noMeterHasALabelThatNamesAJob() {
    next(status -> status.started(1, "tune-1"));
    var failed = end(65);
    next(status -> status.failed(Optional.of(failed), ConditionReason.DataError, "no"));

    assertThat(registry.getMeters())
        .flatExtracting(meter -> meter.getId().getTags())
        .extracting(tag -> tag.getKey())
        // le is the bound of a histogram's bucket.
        .isSubsetOf("reason", "outcome", "phase", "le");
  }

  @Test
  void gaugesFollowTheCacheAndForgetDeletedJobs() {
    next(status -> status.started(1, "tune-1"));
    next(status -> running(status, Progress.NONE));
    var cache = new ArrayList<>(List.of(job));
    var later = NOW.plusSeconds(90);
    var gauges = new JobGauges(registry, Clock.fixed(later, ZoneOffset.UTC));
    gauges.register(cache::stream);

    assertThat(jobs("Running")).isEqualTo(1);
    assertThat(jobs("Pending")).isZero();
    assertThat(progressAge()).as("it has never answered").isEqualTo(90);
    gauges.progressed(job);
    assertThat(progressAge()).isZero();
    cache.clear();
    assertThat(jobs("Running")).isZero();
    assertThat(progressAge()).isZero();
  }

  private AttemptEnd end(int exitCode) {
    var pod = AttemptPods.of(endedPod(1, exitCode, "Error", ""));
    return AttemptEnd.failed(job.getStatus().attempts().get(0), pod, NOW);
  }

  private static FineTuneJobStatus running(StatusCalculator status, Progress progress) {
    return status.running(
        PodStage.of("tune-1", AttemptPods.of(runningPod(1)), Optional.empty()),
        AttemptPods.of(runningPod(1)),
        progress);
  }

  private static FineTuneJobStatus stage(StatusCalculator status, Job child) {
    child.getSpec().setSuspend(true);
    return status.running(
        PodStage.of(child, AttemptPods.NONE, Optional.empty()), AttemptPods.NONE, Progress.NONE);
  }

  private void next(Function<StatusCalculator, FineTuneJobStatus> step) {
    next(NOW, step);
  }

  private void next(Instant now, Function<StatusCalculator, FineTuneJobStatus> step) {
    FineTuneJobStatus next = step.apply(new StatusCalculator(job, List.of(), now));
    var metrics = new FineTuneMetrics(registry, Clock.fixed(now, ZoneOffset.UTC));
    metrics.transition(job, job.getStatus(), next);
    job.setStatus(next);
  }

  private double attempts(String reason) {
    return registry.get("finetune.attempts").tag("reason", reason).counter().count();
  }

  private double gpuSeconds(String outcome) {
    return registry.get("finetune.gpu.seconds").tag("outcome", outcome).counter().count();
  }

  private double jobs(String phase) {
    return registry.get("finetune.jobs").tag("phase", phase).gauge().value();
  }

  private double progressAge() {
    return registry.get("finetune.progress.age").gauge().value();
  }
}
