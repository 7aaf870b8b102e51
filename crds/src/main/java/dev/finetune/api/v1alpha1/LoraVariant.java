package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which formula the adapter follows. */
public enum LoraVariant {
  /** Scale alpha / rank. */
  @JsonProperty("Standard")
  STANDARD,
  /** Scale alpha / sqrt(rank). */
  @JsonProperty("RankStabilized")
  RANK_STABILIZED
}
