package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What follows a row that can't be read. */
public enum InvalidRowPolicy {
  /** The run ends before training and lists the rows by file and line. */
  @JsonProperty("Fail")
  FAIL,
  /** The row is left out, listed and counted. */
  @JsonProperty("Skip")
  SKIP
}
