package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What becomes of a row longer than maxLength. */
public enum Overlong {
  /** It is left out, and counted as dropped. */
  @JsonProperty("Drop")
  DROP,
  /** Its first tokens are cut away, the system turn among them. */
  @JsonProperty("TruncateLeft")
  TRUNCATE_LEFT,
  /** Its last tokens are cut away, and often the one that ends the answer. */
  @JsonProperty("TruncateRight")
  TRUNCATE_RIGHT
}
