package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.ConditionType;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.Conditions;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** How long the children of a job that is done stay: {@code spec.ttlSecondsAfterFinished}. */
final class Retention {
  private Retention() {}

  /** The step for a job that is done. */
  static NextStep decide(FineTuneJob job, Observation observation, Instant now) {
    List<String> jobs =
        observation.jobs().stream()
            .filter(each -> each.getMetadata().getDeletionTimestamp() == null)
            .map(each -> each.getMetadata().getName())
            .toList();
    // The Jobs go last, so where no Job is left nothing is.
    Optional<Duration> left =
        jobs.isEmpty() ? Optional.empty() : end(job).map(end -> Duration.between(now, end));
    return left.isEmpty() || left.get().compareTo(Duration.ZERO) > 0
        ? new NextStep.Rest(left)
        : new NextStep.RemoveChildren(jobs);
  }

  private static Optional<Instant> end(FineTuneJob job) {
    Integer seconds = job.getSpec() == null ? null : job.getSpec().ttlSecondsAfterFinished();
    return Optional.ofNullable(seconds)
        .flatMap(ttl -> finished(job).map(time -> time.plusSeconds(ttl)));
  }

  private static Optional<Instant> finished(FineTuneJob job) {
    return Conditions.find(job.getStatus(), ConditionType.Succeeded)
        .filter(condition -> "True".equals(condition.getStatus()))
        .or(() -> Conditions.find(job.getStatus(), ConditionType.Failed))
        .map(Condition::getLastTransitionTime)
        .map(Instant::parse);
  }
}
