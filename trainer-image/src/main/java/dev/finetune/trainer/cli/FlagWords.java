package dev.finetune.trainer.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The words that a flag takes, and the recipe's word for each.
 *
 * @param flag its name, for messages
 * @param words lower case to the recipe's
 */
record FlagWords(String flag, Map<String, String> words) implements Function<String, JsonNode> {

  FlagWords {
    words = new TreeMap<>(words);
  }

  /**
   * The recipe's word.
   *
   * @throws TrainerException USAGE listing the words that there are, if it is none of them
   */
  @Override
  public JsonNode apply(String value) {
    check(flag, value, words.keySet());
    return FlagValues.text(words.get(value.toLowerCase(Locale.ROOT)));
  }

  /**
   * Refuses a word that isn't served.
   *
   * @throws TrainerException USAGE listing those that are
   */
  static void check(String flag, String value, Set<String> served) {
    if (!served.contains(value.toLowerCase(Locale.ROOT))) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s %s isn't served by this version; it can be one of %s".formatted(flag, value, served));
    }
  }
}
