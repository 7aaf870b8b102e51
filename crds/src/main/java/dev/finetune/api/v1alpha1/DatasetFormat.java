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
  MESSAGES,
  /**
   * conversations: a list of {from, value} with human or user, gpt or assistant, and system; and
   * optionally system.
   */
  @JsonProperty("ShareGPT")
  SHARE_GPT,
  /** query, response, and optionally system and history (a list of [query, response]). */
  @JsonProperty("QueryResponse")
  QUERY_RESPONSE,
  /** prompt and completion, joined as they are, without a chat template where both are texts. */
  @JsonProperty("PromptCompletion")
  PROMPT_COMPLETION,
  /** text: every token of it is supervised, without a chat template. */
  @JsonProperty("Text")
  TEXT
}
