package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Number format of frozen weights and activations. */
public enum Precision {
  /** BF16 on a GPU that has it, FP32 on a CPU. */
  @JsonProperty("Auto")
  AUTO,
  /** 32-bit floating point. */
  @JsonProperty("FP32")
  FP32,
  /** bfloat16. */
  @JsonProperty("BF16")
  BF16
}
