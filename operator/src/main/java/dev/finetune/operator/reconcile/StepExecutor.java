package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.operator.observe.Observation;
import dev.finetune.operator.status.StatusCalculator;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import jakarta.enterprise.context.ApplicationScoped;

/** Does what a step says, and writes the status that follows from it. */
@ApplicationScoped
class StepExecutor {
  private final Children children;
  private final StatusWriter statusWriter;

  StepExecutor(Children children, StatusWriter statusWriter) {
    this.children = children;
    this.statusWriter = statusWriter;
  }

  /** Children are created before the status tells of them, and deleted after it. */
  void execute(
      NextStep step,
      FineTuneJob job,
      Observation observation,
      StatusCalculator status,
      Context<FineTuneJob> context) {
    if (step instanceof NextStep.StartAttempt start) {
      String child =
          children.createAttempt(job, start.number(), context.resourceOperations()::resourcePatch);
      statusWriter.write(job, status.started(start.number(), child), context);
      return;
    }
    statusWriter.write(job, next(step, job, observation, status), context);
    if (step instanceof NextStep.EndAttempt end) {
      // The status says now that it was us, wherever this pass is cut short.
      end.job().ifPresent(child -> children.deleteJob(job, child));
    } else if (step instanceof NextStep.RemoveChildren remove) {
      children.remove(job, remove.jobs());
    }
  }

  /** Tells that the API server refused a child. */
  void refused(FineTuneJob job, FineTuneJobStatus status, Context<FineTuneJob> context) {
    statusWriter.write(job, status, context);
  }

  private static FineTuneJobStatus next(
      NextStep step, FineTuneJob job, Observation observation, StatusCalculator status) {
    if (step instanceof NextStep.KeepRunning keep) {
      return status.running(keep.stage(), keep.pods(), observation.progress());
    } else if (step instanceof NextStep.EndAttempt end) {
      return status.ending(end.reason(), end.message(), end.pods(), observation.progress());
    } else if (step instanceof NextStep.StaySuspended stay) {
      return stay.end().map(status::suspended).orElseGet(status::suspended);
    } else if (step instanceof NextStep.Restart restart) {
      return status.restarting(restart.end(), restart.message());
    } else if (step instanceof NextStep.Complete complete) {
      return status.succeeded(complete.end());
    } else if (step instanceof NextStep.Fail fail) {
      return status.failed(fail.end(), fail.reason(), fail.message());
    } else if (step instanceof NextStep.Wait wait) {
      return status.waiting(wait.reason(), wait.message());
    } else if (step instanceof NextStep.Reject) {
      return status.rejected();
    }
    return step instanceof NextStep.Settle ? job.getStatus() : status.resting();
  }
}
