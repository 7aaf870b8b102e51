package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What A and B start from. */
public enum LoraInitialization {
  /** A uniform in +-1/sqrt(in), B zero: the model starts unchanged. */
  @JsonProperty("Default")
  DEFAULT,
  /**
   * The principal singular vectors of W, which is left with the rest (arXiv:2404.02948). The result
   * is written as a plain adapter of twice the rank for the original W.
   */
  @JsonProperty("PiSSA")
  PISSA
}
