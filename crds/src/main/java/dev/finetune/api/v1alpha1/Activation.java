package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A function of each number on its own. */
public enum Activation {
  /** x times the normal distribution's cumulative probability of x (arXiv:1606.08415). */
  @JsonProperty("GELU")
  GELU,
  /** max(x, 0). */
  @JsonProperty("ReLU")
  RELU,
  /** x / (1 + exp(-x)) (arXiv:1702.03118). */
  @JsonProperty("SiLU")
  SILU
}
