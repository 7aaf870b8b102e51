package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.engine.TorchRuntime;
import dev.finetune.trainer.method.LoraModel;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.model.ModelFolder;

/** Loads the base model and puts on it what the recipe's method trains. */
interface ModelFactory {
  /** On the first GPU, or on the CPU where there is none. */
  ModelFactory DEFAULT = (recipe, folder) -> LoraModel.create(recipe, folder, device());

  TrainableModel create(Recipe recipe, ModelFolder folder);

  /** Where models are computed. */
  static String device() {
    return TorchRuntime.cudaDevices() > 0 ? "cuda:0" : "cpu";
  }
}
