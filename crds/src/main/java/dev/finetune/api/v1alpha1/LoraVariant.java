package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which formula the adapter follows. */
public enum LoraVariant {
  /** Scale alpha / rank. */
  @JsonProperty("Standard")
  STANDARD,
  /** Scale alpha / sqrt(rank). */
  @JsonProperty("RankStabilized")
  RANK_STABILIZED,
  /**
   * Scale alpha / rank, with the length of each row of the sum trained apart (arXiv:2402.09353).
   */
  @JsonProperty("DoRA")
  DORA
}
