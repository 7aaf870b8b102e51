package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which tokens the loss counts. */
public enum Supervision {
  /** The assistant's turns, each with the token that ends it. */
  @JsonProperty("Answers")
  ANSWERS,
  /** The last of the assistant's turns. */
  @JsonProperty("LastAnswer")
  LAST_ANSWER,
  /** Every token. */
  @JsonProperty("All")
  ALL
}
