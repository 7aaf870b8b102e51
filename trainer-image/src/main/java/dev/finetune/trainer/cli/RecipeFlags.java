package dev.finetune.trainer.cli;

import java.util.List;
import java.util.stream.Stream;

/**
 * The flags that ms-swift has for what a recipe says, by their 3.x and their 2.x name, and the few
 * that it has no name for.
 */
final class RecipeFlags {
  static final List<RecipeFlag> ALL =
      Stream.of(ModelFlags.ALL, DatasetFlags.ALL, MethodFlags.ALL, TrainingFlags.ALL)
          .flatMap(List::stream)
          .toList();

  private RecipeFlags() {}
}
