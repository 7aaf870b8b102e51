package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.method.LayeredModel;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.method.TuningMethod;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.placement.LayerPlan;
import dev.finetune.trainer.placement.MicroBatchSize;
import dev.finetune.trainer.placement.ReplicaMemory;
import dev.finetune.trainer.report.RunListener;
import java.util.List;

/**
 * Lays the model over a rank's devices, after saying how.
 *
 * @param budgets bytes that each device may hold; empty: unbounded
 * @param listener hears the plan
 */
record LayeredModels(List<Long> budgets, RunListener listener) implements ModelFactory {
  @Override
  public TrainableModel create(Recipe recipe, ModelFolder folder, LocalRank rank) {
    ReplicaMemory memory = memory(recipe, folder, rank.devices().get(0));
    LayerPlan plan = LayerPlan.of(memory, rank.devices(), budgets);
    listener.planned(plan.table());
    plan.advice(memory).ifPresent(listener::warned);
    return LayeredModel.create(recipe, folder, plan.ranges(), plan.devices(), rank.group());
  }

  private static ReplicaMemory memory(Recipe recipe, ModelFolder folder, String device) {
    return new ReplicaMemory(
        folder,
        TuningMethod.of(recipe, folder),
        CausalLm.headRows(folder, device),
        MicroBatchSize.of(
            recipe.training(), CausalLm.bytesPerNumber(recipe.training().precision(), device)));
  }
}
