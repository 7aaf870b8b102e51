package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;

/**
 * Why an attempt ended without a result.
 *
 * @param outcome Failed, or Interrupted where it was ended from outside
 * @param exitCode the trainer's, null where no process ended
 * @param retryable whether another attempt could end otherwise
 */
record Failure(
    AttemptOutcome outcome,
    ConditionReason reason,
    Integer exitCode,
    String message,
    boolean retryable) {

  static Failure failed(ConditionReason reason, Integer exitCode, String message, boolean again) {
    return new Failure(AttemptOutcome.Failed, reason, exitCode, message, again);
  }

  static Failure interrupted(ConditionReason reason, Integer exitCode, String message) {
    return new Failure(AttemptOutcome.Interrupted, reason, exitCode, message, true);
  }
}
