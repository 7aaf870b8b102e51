package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the learning rate falls after warm-up. */
public enum Schedule {
  /** Not at all. */
  @JsonProperty("Constant")
  CONSTANT,
  /** Linearly to 0 at the last step. */
  @JsonProperty("Linear")
  LINEAR,
  /** Along half a cosine wave to 0 at the last step. */
  @JsonProperty("Cosine")
  COSINE
}
