package dev.finetune.api.v1alpha1;

/** The reasons of conditions, events and attempts. */
public enum ConditionReason {
  /** The spec passed every check. */
  Valid,
  /** The spec breaks a rule that the schema can't say; edit it and the job goes on. */
  InvalidSpec,
  /** Another attempt is about to be created. */
  Starting,
  /** The attempt's Job exists, and its pod is not there yet. */
  JobCreated,
  /** No node can take the pod; the message has the scheduler's words. */
  Unschedulable,
  /** The pod has a node. */
  PodScheduled,
  /** The pod waits for its image, its volumes or its container. */
  PodStarting,
  /** The trainer runs. */
  TrainerRunning,
  /** The API server refused a child; the message has its words. It is tried again. */
  ChildRefused,
  /** spec.suspend is true. */
  SuspendRequested,
  /** spec.suspend is not true. */
  NotSuspended,
  /** The next attempt waits for its back-off. */
  BackingOff,
  /** The adapter is written. */
  Completed,
  /** Training has not ended. */
  InProgress,
  /** The recipe or the command line is wrong (exit code 64). */
  InvalidRecipe,
  /** A data file is missing or a row of it is wrong (exit code 65). */
  DataError,
  /** The model folder is missing, broken or not supported (exit code 66). */
  ModelError,
  /** A fault of the trainer's own (exit code 70). */
  InternalError,
  /** Out of memory, on the device (exit code 71) or in the container (OOMKilled). */
  OutOfMemory,
  /** The destination can't be written (exit code 73). */
  OutputError,
  /** Interrupted after a checkpoint (exit code 75). */
  Interrupted,
  /** The loss became NaN or infinite (exit code 76). */
  NonFiniteLoss,
  /** The pod was evicted, preempted or drained, or its node is gone. */
  Disrupted,
  /** The attempt's Job was deleted by somebody. */
  JobDeleted,
  /** The trainer ended with an exit code that it doesn't use, or by a signal. */
  UnknownExit
}
