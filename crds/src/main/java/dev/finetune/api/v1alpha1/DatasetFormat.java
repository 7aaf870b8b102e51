package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The shape of a data file's rows. */
public enum DatasetFormat {
  /** By the first row's columns. */
  @JsonProperty("Auto")
  AUTO,
  /**
   * instruction, input, output, and optionally system and history (a list of [query, response]).
   */
  @JsonProperty("Alpaca")
  ALPACA,
  /** messages: a list of {role, content} with the roles system, user and assistant. */
  @JsonProperty("Messages")
  MESSAGES
}
