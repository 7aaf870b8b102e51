package dev.finetune.trainer.model;

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

  /** A token of which nothing is known but its id: looked for in the normalized text. */
  static AddedToken plain(int id, String content) {
    return new AddedToken(id, content, false, false, false, false, true);
  }
}
