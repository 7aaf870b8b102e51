package dev.finetune.api.v1alpha1;

/** The condition types of a FineTuneJob. */
public enum ConditionType {
  Accepted("The spec makes sense as a whole; False lists every violation."),
  Scheduled("The running attempt's pod has a node; False carries the scheduler's words."),
  Running("The trainer runs."),
  Suspended("Stopped by spec.suspend."),
  Succeeded("The adapter is written. Final."),
  Failed("It will not be tried again. Final.");

  private final String description;

  ConditionType(String description) {
    this.description = description;
  }

  /** What it means, in one sentence; the reference is generated from it. */
  public String description() {
    return description;
  }
}
