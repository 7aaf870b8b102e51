package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A one-word summary of the conditions, for people and printer columns. */
public enum Phase {
  /** No pod runs yet. */
  @JsonProperty("Pending")
  PENDING,
  /** The attempt's Job waits for its queue to admit it. */
  @JsonProperty("Queued")
  QUEUED,
  /** The trainer runs. */
  @JsonProperty("Running")
  RUNNING,
  /** Stopped by spec.suspend, its checkpoint saved. */
  @JsonProperty("Suspended")
  SUSPENDED,
  /** An attempt ended and the next one waits for its back-off. */
  @JsonProperty("Restarting")
  RESTARTING,
  /** The adapter is written. Final. */
  @JsonProperty("Succeeded")
  SUCCEEDED,
  /** It will not be tried again. Final. */
  @JsonProperty("Failed")
  FAILED
}
