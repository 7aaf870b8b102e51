package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What the GPUs of a run share. */
public enum Parallelism {
  /** The data: each GPU holds the whole model and works on its share of every step. */
  @JsonProperty("Data")
  DATA,
  /** The model: one copy of it is laid over the GPUs of one pod, some layers on each. */
  @JsonProperty("Layers")
  LAYERS
}
