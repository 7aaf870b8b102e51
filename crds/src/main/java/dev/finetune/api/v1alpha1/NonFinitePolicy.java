package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What follows a loss or a gradient that is NaN or infinite. */
public enum NonFinitePolicy {
  /** The run ends, naming the step and the rows. */
  @JsonProperty("Fail")
  FAIL,
  /**
   * Training goes back to the last checkpoint and leaves the window's rows out, once; the second
   * time it ends.
   */
  @JsonProperty("Rollback")
  ROLLBACK
}
