package dev.finetune.api.v1alpha1;

/**
 * How the trainer ends: its exit codes, after BSD's sysexits.h where one fits. The trainer exits
 * with them and the operator decides by them.
 */
public enum TrainerExit {
  /** The adapter is written. */
  DONE(0, ConditionReason.Completed, false),
  /** The recipe or the command line is wrong. */
  USAGE(64, ConditionReason.InvalidRecipe, false),
  /** A data file is missing or a row of it is wrong. */
  DATA(65, ConditionReason.DataError, false),
  /** The model folder is missing, broken or not supported. */
  MODEL(66, ConditionReason.ModelError, false),
  /** A fault of the trainer's own. */
  INTERNAL(70, ConditionReason.InternalError, true),
  /** Out of memory, on the device or in the container. */
  OUT_OF_MEMORY(71, ConditionReason.OutOfMemory, false),
  /** The destination can't be written. */
  OUTPUT(73, ConditionReason.OutputError, true),
  /** Interrupted: SIGTERM after a checkpoint, a lost peer, the network. */
  TRY_AGAIN(75, ConditionReason.Interrupted, true),
  /** The loss became NaN or infinite. */
  NON_FINITE_LOSS(76, ConditionReason.NonFiniteLoss, false);

  private final int code;
  private final ConditionReason reason;
  private final boolean retryable;

  TrainerExit(int code, ConditionReason reason, boolean retryable) {
    this.code = code;
    this.reason = reason;
    this.retryable = retryable;
  }

  /** The process's exit code. */
  public int code() {
    return code;
  }

  /** The reason that conditions, events and attempts name. */
  public ConditionReason reason() {
    return reason;
  }

  /** Whether another attempt could end otherwise. */
  public boolean retryable() {
    return retryable;
  }
}
