package dev.finetune.api.v1alpha1;

/** The condition types of a FineTuneJob. */
public enum ConditionType {
  /** The spec makes sense as a whole; False lists every violation. */
  Accepted,
  /** The running attempt's pod has a node; False carries the scheduler's words. */
  Scheduled,
  /** The trainer runs. */
  Running,
  /** Stopped by spec.suspend. */
  Suspended,
  /** The adapter is written. Final. */
  Succeeded,
  /** It will not be tried again. Final. */
  Failed
}
