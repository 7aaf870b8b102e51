package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.operator.events.TransitionEvents;
import dev.finetune.operator.metrics.FineTuneMetrics;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import jakarta.enterprise.context.ApplicationScoped;

/** The one place that writes a status. What follows from a transition follows its write. */
@ApplicationScoped
class StatusWriter {
  private final InstalledSchema schema;
  private final TransitionEvents events;
  private final FineTuneMetrics metrics;

  StatusWriter(InstalledSchema schema, TransitionEvents events, FineTuneMetrics metrics) {
    this.schema = schema;
    this.events = events;
    this.metrics = metrics;
  }

  /**
   * Replaces the status where it differs, and then tells the events and the meters.
   *
   * @throws StatusRefusedException if the schema in the cluster doesn't allow it
   */
  void write(FineTuneJob job, FineTuneJobStatus next, Context<FineTuneJob> context) {
    FineTuneJobStatus previous = job.getStatus();
    if (next.equals(previous)) {
      return;
    }
    schema.wrote(next, replace(job, next, context).getStatus());
    metrics.statusWritten();
    metrics.transition(job, previous, next);
    events.emit(job, previous, next);
  }

  /**
   * A PUT and no server-side apply: nobody else writes a status, and an apply costs the API server
   * a third more (docs/performance.md). The resource version makes the API server refuse a status
   * that was computed from an older state, such as by a leader that doesn't know yet that it no
   * longer is. Of the rest of the object the API server takes nothing.
   */
  private FineTuneJob replace(
      FineTuneJob job, FineTuneJobStatus next, Context<FineTuneJob> context) {
    var replacement = new FineTuneJob();
    replacement.setMetadata(job.getMetadata());
    replacement.setSpec(job.getSpec());
    replacement.setStatus(next);
    try {
      return context.resourceOperations().updatePrimaryStatus(replacement);
    } catch (KubernetesClientException e) {
      if (e.getCode() != RefusedException.UNPROCESSABLE) {
        throw e;
      }
      var refused = new StatusRefusedException(e);
      schema.refused(refused);
      throw refused;
    }
  }
}
