package dev.finetune.api.v1alpha1;

/**
 * How the trainer ends: its exit codes, after BSD's sysexits.h where one fits. The trainer exits
 * with them and the operator decides by them.
 */
public enum TrainerExit {
  DONE(0, ConditionReason.Completed, false, "The adapter is written."),
  USAGE(64, ConditionReason.InvalidRecipe, false, "The recipe or the command line is wrong."),
  DATA(65, ConditionReason.DataError, false, "A data file is missing or a row of it is wrong."),
  MODEL(
      66,
      ConditionReason.ModelError,
      false,
      "The model folder is missing, broken or not supported."),
  DEVICE(69, ConditionReason.DeviceError, true, "A GPU can't be used, or failed."),
  INTERNAL(70, ConditionReason.InternalError, true, "A fault of the trainer's own."),
  OUT_OF_MEMORY(
      71, ConditionReason.OutOfMemory, false, "Out of memory, on the device or in the container."),
  OUTPUT(73, ConditionReason.OutputError, true, "The destination can't be written."),
  RANK_LOST(
      74,
      ConditionReason.RankLost,
      true,
      "One of several ranks died or stopped answering, and the others ended."),
  TRY_AGAIN(
      75,
      ConditionReason.Interrupted,
      true,
      "Interrupted: SIGTERM after a checkpoint, a lost peer, the network."),
  NON_FINITE_LOSS(76, ConditionReason.NonFiniteLoss, false, "The loss became NaN or infinite.");

  private final int code;
  private final ConditionReason reason;
  private final boolean retryable;
  private final String description;

  TrainerExit(int code, ConditionReason reason, boolean retryable, String description) {
    this.code = code;
    this.reason = reason;
    this.retryable = retryable;
    this.description = description;
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

  /** What happened, in one sentence; the reference is generated from it. */
  public String description() {
    return description;
  }
}
