package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.operator.events.TransitionEvents;
import dev.finetune.operator.metrics.FineTuneMetrics;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import jakarta.enterprise.context.ApplicationScoped;

/** The one place that writes a status. What follows from a transition follows its patch. */
@ApplicationScoped
class StatusWriter {
  private final TransitionEvents events;
  private final FineTuneMetrics metrics;

  StatusWriter(TransitionEvents events, FineTuneMetrics metrics) {
    this.events = events;
    this.metrics = metrics;
  }

  /** Patches the status where it differs, and then tells the events and the meters. */
  void write(FineTuneJob job, FineTuneJobStatus next, Context<FineTuneJob> context) {
    FineTuneJobStatus previous = job.getStatus();
    if (next.equals(previous)) {
      return;
    }
    context.resourceOperations().serverSideApplyPrimaryStatus(patch(job, next));
    metrics.statusPatched();
    metrics.transition(job, previous, next);
    events.emit(job, previous, next);
  }

  /**
   * Holds nothing but the status. The resource version makes the API server refuse a status that
   * was computed from an older state, such as by a leader that doesn't know yet that it no longer
   * is.
   */
  private static FineTuneJob patch(FineTuneJob job, FineTuneJobStatus next) {
    var patch = new FineTuneJob();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withName(job.getMetadata().getName())
            .withNamespace(job.getMetadata().getNamespace())
            .withResourceVersion(job.getMetadata().getResourceVersion())
            .build());
    patch.setStatus(next);
    return patch;
  }
}
