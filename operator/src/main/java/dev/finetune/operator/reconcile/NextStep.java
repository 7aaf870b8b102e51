package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.PodStage;
import java.time.Duration;
import java.util.Optional;

/** What to do about a FineTuneJob now. */
sealed interface NextStep {

  /** Nothing, for good: it has succeeded or failed, whatever becomes of its children. */
  record Rest() implements NextStep {}

  /** Nothing until the spec is edited: it breaks a rule. */
  record Reject() implements NextStep {}

  /** Nothing yet. */
  record Wait(ConditionReason reason, String message, Duration atMost) implements NextStep {}

  /** Create the children of an attempt. */
  record StartAttempt(int number) implements NextStep {}

  /** Let the running attempt go on, and read its progress. */
  record KeepRunning(PodStage stage, Optional<String> node) implements NextStep {}

  /**
   * End the running attempt: delete its Job, so that the trainer gets SIGTERM, where it is still
   * there.
   */
  record Suspend(Optional<String> job, String message) implements NextStep {}

  /** Stay without an attempt, as asked; {@code end} is that of the attempt that this ended. */
  record StaySuspended(Optional<AttemptEnd> end) implements NextStep {}

  /** Note that the attempt ended; the next one starts after {@code delay}. */
  record Restart(AttemptEnd end, String message, Duration delay) implements NextStep {}

  /** Note that the last attempt wrote the adapter. */
  record Complete(AttemptEnd end) implements NextStep {}

  /** Note that the last attempt failed and none follows. */
  record Fail(AttemptEnd end, String message) implements NextStep {}

  /**
   * When to look again, where no event may come.
   *
   * @param interval between two questions to a running trainer
   * @return empty where only an event can change anything
   */
  default Optional<Duration> again(Duration interval) {
    if (this instanceof Wait wait) {
      return Optional.of(wait.atMost());
    } else if (this instanceof Restart restart) {
      return Optional.of(restart.delay());
    }
    boolean moves =
        this instanceof StartAttempt || this instanceof KeepRunning || this instanceof Suspend;
    return moves ? Optional.of(interval) : Optional.empty();
  }
}
