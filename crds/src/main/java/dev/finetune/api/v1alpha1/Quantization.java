package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the frozen weights are stored. */
public enum Quantization {
  /** In the number format of training.precision. */
  @JsonProperty("None")
  NONE,
  /**
   * The linear layers' weights in four bits: NormalFloat in blocks of 64 with doubly quantised
   * scales, as QLoRA has them (arXiv:2305.14314).
   */
  @JsonProperty("NF4")
  NF4
}
