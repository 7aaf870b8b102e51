package dev.finetune.api.v1alpha1;

/** The reasons of conditions, events and attempts. */
public enum ConditionReason {
  Valid("The spec passed every check."),
  InvalidSpec("The spec breaks a rule that the schema can't say; edit it and the job goes on."),
  Starting("Another attempt is about to be created."),
  JobCreated("The attempt's Job exists, and not all of its pods are there yet."),
  Queued(
      "The attempt's Job waits for its queue to admit it; its time there counts against no deadline."),
  Preempted("The queue took the GPUs back; the attempt saves a checkpoint and is queued again."),
  Unschedulable("No node can take a pod; the message has the scheduler's words."),
  PodScheduled("Every pod has a node."),
  PodStarting("A pod waits for its image, its volumes or its container."),
  TrainerRunning("The trainer runs, in every pod."),
  ChildRefused("The API server refused a child; the message has its words. It is tried again."),
  SuspendRequested("spec.suspend is true."),
  NotSuspended("spec.suspend is not true."),
  BackingOff("The next attempt waits for its back-off."),
  Completed("The adapter is written."),
  InProgress("Training has not ended."),
  InvalidRecipe("The recipe or the command line is wrong (exit code 64)."),
  DataError("A data file is missing or a row of it is wrong (exit code 65)."),
  ModelError("The model folder is missing, broken or not supported (exit code 66)."),
  DeviceError("A GPU can't be used, or failed (exit code 69)."),
  InternalError("A fault of the trainer's own (exit code 70)."),
  OutOfMemory("Out of memory, on the device (exit code 71) or in the container (OOMKilled)."),
  OutputError("The destination can't be written (exit code 73)."),
  RankLost("One of several ranks died or stopped answering (exit code 74); the message names it."),
  Interrupted("Interrupted after a checkpoint (exit code 75)."),
  NonFiniteLoss("The loss became NaN or infinite (exit code 76)."),
  Stalled("The trainer ran for deadlines.stallSeconds without any progress."),
  PendingDeadlineExceeded("No trainer ran within deadlines.pendingSeconds. Final."),
  ActiveDeadlineExceeded("The trainer has run for deadlines.activeSeconds in all. Final."),
  Disrupted("A pod was evicted, preempted or drained, or its node is gone."),
  JobDeleted("The attempt's Job was deleted by somebody."),
  UnknownExit("The trainer ended with an exit code that it doesn't use, or by a signal.");

  private final String description;

  ConditionReason(String description) {
    this.description = description;
  }

  /** What it means, in one sentence; the reference is generated from it. */
  public String description() {
    return description;
  }
}
