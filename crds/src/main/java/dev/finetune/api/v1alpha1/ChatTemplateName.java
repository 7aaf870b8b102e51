package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Where the chat template comes from. */
public enum ChatTemplateName {
  /** The tokenizer's own: chat_template.jinja, or chat_template in tokenizer_config.json. */
  @JsonProperty("Auto")
  AUTO,
  /** {@code <|im_start|>role ... <|im_end|>}, as Qwen and SmolLM2 write it. */
  @JsonProperty("ChatML")
  CHATML,
  /** {@code <|start_header_id|>role<|end_header_id|> ... <|eot_id|>}, as Llama 3 writes it. */
  @JsonProperty("Llama3")
  LLAMA3,
  /** {@code <|role|> ... </s>}, as Zephyr and TinyLlama write it. */
  @JsonProperty("Zephyr")
  ZEPHYR,
  /**
   * {@code <|im_start|>role ... <|im_end|>} without a newline behind, and pictures between {@code
   * <img>} and {@code </img>}, as OpenGVLab's InternVL2 and ms-swift 2 write it.
   */
  @JsonProperty("InternVL2")
  INTERN_VL2,
  /**
   * The same with a newline behind each turn, as InternVL2.5, InternVL3 and ms-swift 3 write it.
   */
  @JsonProperty("InternVL2_5")
  INTERN_VL2_5
}
