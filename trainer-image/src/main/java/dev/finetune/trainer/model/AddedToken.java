package dev.finetune.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A token that is found in a text before the vocabulary is asked; the fields are those of Hugging
 * Face's tokenizers.
 *
 * @param id its token id
 * @param content its text
 * @param special whether decoding can leave it out
 * @param singleWord whether it is only found where no letter or digit stands beside it
 * @param lstrip whether the whitespace before it belongs to it
 * @param rstrip whether the whitespace behind it belongs to it
 * @param normalized whether it is looked for in the normalized text, not in the text as given
 */
public record AddedToken(
    int id,
    String content,
    boolean special,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized) {

  /** A token that is looked for in the text as given, wherever it stands. */
  public static AddedToken literal(int id, String content, boolean special) {
    return new AddedToken(id, content, special, false, false, false, false);
  }

  /** A token whose file says its id only: what isn't special is part of the normalized text. */
  static AddedToken plain(int id, String content, boolean special) {
    return new AddedToken(id, content, special, false, false, false, !special);
  }

  /** A token with the flags of a JSON object; those that it hasn't are as transformers has them. */
  public static AddedToken flagged(int id, String content, boolean special, JsonNode flags) {
    return new AddedToken(
        id,
        content,
        special,
        flags.path("single_word").asBoolean(false),
        flags.path("lstrip").asBoolean(false),
        flags.path("rstrip").asBoolean(false),
        flags.path("normalized").asBoolean(!special));
  }
}
