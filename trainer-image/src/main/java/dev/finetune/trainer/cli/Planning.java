package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.trainer.data.EpochOrder;
import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.PackedOrder;
import dev.finetune.trainer.data.PreparedDataset;
import dev.finetune.trainer.data.RowOrder;
import dev.finetune.trainer.engine.MatrixSpeed;
import dev.finetune.trainer.method.TuningMethod;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.ModelPart;
import dev.finetune.trainer.picture.Picture;
import dev.finetune.trainer.placement.DeviceLoad;
import dev.finetune.trainer.placement.LayerPlan;
import dev.finetune.trainer.placement.MicroBatchSize;
import dev.finetune.trainer.placement.ReplicaMemory;
import dev.finetune.trainer.train.TrainingPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * Works out what a run will do from its checked rows and the model's sizes, without loading a
 * weight.
 *
 * @param recipe what is trained
 * @param ranks processes that share a step
 * @param devices those of the first rank
 * @param budgets bytes that each of them may hold; empty where nothing was said
 * @param flops operations per second of a device; empty: to be measured
 */
record Planning(
    Recipe recipe, int ranks, List<String> devices, List<Long> budgets, OptionalDouble flops) {
  private static final Duration MEASURING = Duration.ofSeconds(2);

  /** Frozen weights take part in the forward pass and in the gradient of their inputs. */
  private static final int FLOPS_PER_WEIGHT = 4;

  /** The forward pass once more, where activations are computed again; or a weight's gradient. */
  private static final int FLOPS_OF_A_PASS = 2;

  /** The plan of a run. */
  RunPlan plan(PreparedDataset dataset, ModelFolder folder) {
    TrainingOptions training = recipe.training();
    int windowRows = training.batchSize() * training.gradientAccumulationSteps() * ranks;
    RunPlan.Work work = work(dataset, dataset.order(recipe.dataset(), training, windowRows));
    TrainingPlan steps = new TrainingPlan(training, work.steps(), !dataset.validation().isEmpty());
    return new RunPlan(
        dataset.verdict(),
        dataset.warnings(),
        dataset.pictures().pictures() == 0 ? null : dataset.pictures(),
        dataset.lengths().bars(),
        new RunPlan.Steps(work.steps(), steps.totalSteps(), ranks),
        work,
        training.packing() ? null : work(dataset, packed(dataset)),
        devices(dataset, folder),
        time(work, tiles(dataset), steps, folder));
  }

  private RunPlan.Work work(PreparedDataset dataset, EpochOrder order) {
    TrainingOptions training = recipe.training();
    MicroBatches batches =
        new MicroBatches(
            dataset.train(),
            order,
            training.batchSize(),
            training.gradientAccumulationSteps(),
            /* rank= */ 0,
            ranks,
            /* padId= */ 0);
    return new RunPlan.Work(
        batches.windowsPerEpoch(), dataset.verdict().tokens(), batches.computedTokens(0));
  }

  private PackedOrder packed(PreparedDataset dataset) {
    RowOrder order =
        new RowOrder(dataset.weighted(), recipe.training().seed(), recipe.dataset().shuffle());
    return new PackedOrder(order, dataset.train(), recipe.training().maxLength(), 1);
  }

  /** Where the longest row is shorter than maxLength, no micro-batch is as long either. */
  private List<RunPlan.Device> devices(PreparedDataset dataset, ModelFolder folder) {
    TrainingOptions training = recipe.training();
    return devices(
        folder,
        training.packing() ? training.maxLength() : Math.max(1, dataset.verdict().maxLength()));
  }

  /**
   * What each device holds.
   *
   * @param length tokens of the longest row
   */
  List<RunPlan.Device> devices(ModelFolder folder, int length) {
    MicroBatchSize largest = LayeredModels.microBatch(recipe, devices.get(0));
    ReplicaMemory memory =
        LayeredModels.memory(recipe, folder, devices.get(0), largest.withLength(length));
    LayerPlan plan = LayerPlan.of(memory, devices, budgets);
    List<RunPlan.Device> all = new ArrayList<>();
    for (int i = 0; i < devices.size(); i++) {
      DeviceLoad load = plan.loads().get(i);
      all.add(
          new RunPlan.Device(
              devices.get(i),
              load.layers().toString(),
              load.weights(),
              load.adapter(),
              load.activations(),
              load.sum()));
    }
    return all;
  }

  /** Of all rows to train on, each once. */
  private static long tiles(PreparedDataset dataset) {
    return IntStream.range(0, dataset.train().size())
        .mapToObj(dataset.train()::pictures)
        .flatMap(List::stream)
        .mapToLong(Picture::tiles)
        .sum();
  }

  private RunPlan.Time time(RunPlan.Work work, long tiles, TrainingPlan steps, ModelFolder folder) {
    double perSecond =
        flops.orElseGet(
            () ->
                MatrixSpeed.flops(
                    devices.get(0),
                    CausalLm.bytesPerNumber(recipe.training().precision(), devices.get(0)),
                    MEASURING));
    int perWeight =
        FLOPS_PER_WEIGHT
            + (recipe.training().gradientCheckpointing() ? FLOPS_OF_A_PASS : 0)
            + (recipe.method().full() != null ? FLOPS_OF_A_PASS : 0);
    double perToken = (double) perWeight * multipliedWeights(folder);
    double perTile = TowerWork.flopsPerTile(folder, TuningMethod.of(recipe, folder));
    double operations =
        (work.computedTokens() * perToken + tiles * perTile)
            * steps.epochsAfter(steps.totalSteps());
    return new RunPlan.Time(
        perToken,
        perTile,
        perSecond,
        flops.isEmpty(),
        Math.round(operations / (perSecond * ranks)));
  }

  /**
   * Those of the language model. An embedding is looked up; one that is the head too is multiplied.
   */
  private static long multipliedWeights(ModelFolder folder) {
    long embedding = folder.config().vocabularySize() * folder.config().hiddenSize();
    return folder.parameters(ModelPart.LANGUAGE_MODEL) - (folder.tiedHead() ? 0 : embedding);
  }
}
