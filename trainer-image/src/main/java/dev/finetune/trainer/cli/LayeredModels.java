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
    String device = rank.devices().get(0);
    ReplicaMemory memory = memory(recipe, folder, device, microBatch(recipe, device));
    LayerPlan plan = LayerPlan.of(memory, rank.devices(), budgets);
    listener.planned(plan.table());
    plan.advice(memory).ifPresent(listener::warned);
    return LayeredModel.create(recipe, folder, plan.ranges(), plan.devices(), rank.group());
  }

  /** The largest micro-batch that a recipe allows. */
  static MicroBatchSize microBatch(Recipe recipe, String device) {
    return MicroBatchSize.of(
        recipe.training(), CausalLm.bytesPerNumber(recipe.training().precision(), device));
  }

  /** What a replica takes. */
  static ReplicaMemory memory(
      Recipe recipe, ModelFolder folder, String device, MicroBatchSize microBatch) {
    return new ReplicaMemory(
        folder,
        TuningMethod.of(recipe, folder),
        recipe.model().quantization(),
        CausalLm.headRows(folder, device),
        microBatch);
  }
}
