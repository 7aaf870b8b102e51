package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.method.TunedModel;
import dev.finetune.trainer.model.ModelFolder;

/** Loads the base model onto a rank's devices and puts on it what the recipe's method trains. */
interface ModelFactory {
  /** What a recipe says. */
  ModelFactory DEFAULT =
      (recipe, folder, rank) ->
          TunedModel.create(recipe, folder, rank.devices().get(0), rank.group());

  TrainableModel create(Recipe recipe, ModelFolder folder, LocalRank rank);
}
