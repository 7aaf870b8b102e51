package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A flag of ms-swift that asks for what is so in any case, or whose purpose is served otherwise: it
 * is taken, and the run says at its start what holds.
 *
 * @param names ms-swift's names of it
 * @param words the values that it may have, in lower case; none: any
 * @param note what holds
 * @param otherwise what to do about any other value
 */
record NotedFlag(List<String> names, Set<String> words, String note, String otherwise) {

  NotedFlag {
    names = List.copyOf(names);
    words = Set.copyOf(words);
  }

  /** A flag with any value. */
  static NotedFlag any(String note, String... names) {
    return new NotedFlag(List.of(names), Set.of(), note, "");
  }

  /** A flag with one of these values. */
  static NotedFlag only(Set<String> words, String note, String otherwise, String... names) {
    return new NotedFlag(List.of(names), words, note, otherwise);
  }

  /**
   * Refuses a value that would be ignored.
   *
   * @throws TrainerException USAGE saying what to use
   */
  void check(List<String> values) {
    for (String value : values) {
      if (!words.isEmpty() && !words.contains(value.toLowerCase(Locale.ROOT))) {
        throw new TrainerException(
            TrainerExit.USAGE,
            "%s %s isn't served by this version: %s".formatted(names.get(0), value, otherwise));
      }
    }
  }
}
