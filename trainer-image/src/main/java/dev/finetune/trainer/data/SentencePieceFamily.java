package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.SentencePieceModel.Algorithm;

/** The tokenizer classes whose conversion is known: what tells one from another. */
enum SentencePieceFamily {
  /** LlamaTokenizer, as LlamaConverter of transformers 4 has it. */
  LLAMA,
  /** InternLM2Tokenizer, as InternLM2Converter of the published models' own code has it. */
  INTERNLM2,
  /** GemmaTokenizer, as GemmaConverter of transformers has it. */
  GEMMA,
  /** No class of its own: BPE by the model's settings, Unigram as transformers' SpmConverter. */
  NONE;

  private static final String FAST = "Fast";

  /**
   * The family of a folder's tokenizer_class.
   *
   * @throws TrainerException with {@link TrainerExit#MODEL} if the class is another one, or its
   *     conversion doesn't handle the model
   */
  static SentencePieceFamily of(SentencePieceModel model, JsonNode settings) {
    String name = settings.path("tokenizer_class").asText("");
    SentencePieceFamily family =
        switch (name.endsWith(FAST) ? name.substring(0, name.length() - FAST.length()) : name) {
          case "LlamaTokenizer" -> LLAMA;
          case "InternLM2Tokenizer" -> INTERNLM2;
          case "GemmaTokenizer" -> GEMMA;
          case "", "PreTrainedTokenizer" -> NONE;
          default ->
              throw unsupported(
                  model, "the tokenizer_class " + name + " isn't one of those that are converted");
        };
    family.check(model);
    return family;
  }

  private void check(SentencePieceModel model) {
    boolean unigram = model.algorithm() == Algorithm.UNIGRAM;
    if (!unigram && model.algorithm() != Algorithm.BPE) {
      throw unsupported(
          model, "its model type is " + model.algorithm() + ", and only BPE and UNIGRAM are");
    }
    if (unigram && (this == INTERNLM2 || this == GEMMA)) {
      throw unsupported(model, "its model type is UNIGRAM, which isn't for its tokenizer_class");
    }
    if (this != NONE) {
      return;
    }
    // Other settings than those of the models that there are would need rules of their own.
    if (!unigram && (!model.charsmap().isEmpty() || model.removesSpaces())) {
      throw unsupported(
          model, "it is a BPE model that changes texts, and no tokenizer_class says how");
    }
    if (unigram && model.byteFallback()) {
      throw unsupported(model, "it is a UNIGRAM model with bytes, and no tokenizer_class says how");
    }
  }

  private static TrainerException unsupported(SentencePieceModel model, String why) {
    return new TrainerException(
        TrainerExit.MODEL,
        model.file() + " can't be converted, because " + why + Tokenizer.SAVE_JSON);
  }
}
