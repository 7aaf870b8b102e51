package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.method.ReplicatedLora;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.model.ModelFolder;
import java.util.List;

/** Loads the base model onto devices and puts on it what the recipe's method trains. */
interface ModelFactory {
  /** What a recipe says. */
  ModelFactory DEFAULT = ReplicatedLora::create;

  TrainableModel create(Recipe recipe, ModelFolder folder, List<String> devices);
}
