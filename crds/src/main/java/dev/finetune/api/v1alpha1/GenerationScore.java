package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A comparison of the text that a model writes with a row's answer, 0 to 1. */
public enum GenerationScore {
  /** Share of the answers that are the row's, but for blanks around them. */
  @JsonProperty("ExactMatch")
  EXACT_MATCH,
  /** F1 of the longest common subsequence of words (Lin 2004), the mean over rows. */
  @JsonProperty("RougeL")
  ROUGE_L,
  /**
   * Geometric mean of 1- to 4-gram precisions with brevity penalty, of the corpus (Papineni 2002).
   */
  @JsonProperty("Bleu")
  BLEU
}
