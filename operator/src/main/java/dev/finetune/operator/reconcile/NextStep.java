package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.operator.status.AttemptEnd;
import dev.finetune.operator.status.AttemptPods;
import dev.finetune.operator.status.PodStage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What to do about a FineTuneJob now. */
sealed interface NextStep {
  /** A state that events end is looked at again after this, in case that an event was missed. */
  Duration SAFETY_INTERVAL = Duration.ofMinutes(1);

  /**
   * Nothing, for good: it has succeeded or failed, whatever becomes of its children.
   *
   * @param expiry until its children are to be removed; empty where they aren't, or are gone
   */
  record Rest(Optional<Duration> expiry) implements NextStep {}

  /** Remove what is left of it: these Jobs, the ConfigMap and the Service. */
  record RemoveChildren(List<String> jobs) implements NextStep {}

  /** Nothing until the spec is edited: it breaks a rule. */
  record Reject() implements NextStep {}

  /** Nothing yet. */
  record Wait(ConditionReason reason, String message, Duration atMost) implements NextStep {}

  /** Create the children of an attempt. */
  record StartAttempt(int number) implements NextStep {}

  /**
   * Let the running attempt go on, and read its progress.
   *
   * @param deadline until the earliest moment that ends it
   */
  record KeepRunning(PodStage stage, AttemptPods pods, Optional<Duration> deadline)
      implements NextStep {}

  /**
   * Write nothing about the young attempt's pod yet: most get their node and their image within
   * seconds, and each state in between would cost a write of the status and of an Event.
   */
  record Settle(Duration atMost) implements NextStep {}

  /**
   * End the running attempt: delete its Job, so that the trainer gets SIGTERM, where it is still
   * there.
   */
  record EndAttempt(Optional<String> job, ConditionReason reason, String message, AttemptPods pods)
      implements NextStep {}

  /** Stay without an attempt, as asked; {@code end} is that of the attempt that this ended. */
  record StaySuspended(Optional<AttemptEnd> end) implements NextStep {}

  /** Note that the attempt ended; the next one starts after {@code delay}. */
  record Restart(AttemptEnd end, String message, Duration delay) implements NextStep {}

  /** Note that the last attempt wrote the adapter. */
  record Complete(AttemptEnd end) implements NextStep {}

  /** Note that the job failed and no attempt follows; {@code end} is that of its last one. */
  record Fail(Optional<AttemptEnd> end, ConditionReason reason, String message)
      implements NextStep {}

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
    } else if (this instanceof Settle settle) {
      return Optional.of(settle.atMost());
    } else if (this instanceof Rest rest) {
      return rest.expiry();
    } else if (this instanceof KeepRunning keep) {
      Duration regular = keep.stage().polled() ? interval : SAFETY_INTERVAL;
      return Optional.of(
          keep.deadline().filter(each -> each.compareTo(regular) < 0).orElse(regular));
    }
    // Behind an end comes the time to live of the children, and maybe no event more.
    boolean more =
        this instanceof StartAttempt
            || this instanceof EndAttempt
            || this instanceof Complete
            || this instanceof Fail;
    return more ? Optional.of(interval) : Optional.empty();
  }
}
