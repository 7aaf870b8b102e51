package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntToLongFunction;

/**
 * One tuned model whose layers lie on several devices of one process, each with a thread of its
 * own, and through which the micro-batches of a window go as through a pipeline ({@link
 * PipelineWindow}). Each device holds only its layers' weights, and of what trains only its layers'
 * part with the optimizer's state. The masks of the dropout, the start of what trains and its names
 * are those of the model on one device, so checkpoints of both are the same.
 */
public final class LayeredModel implements TrainableModel {
  private final List<Stage> stages;
  private final TuningMethod method;
  private final ProcessGroup group;
  private final List<ExecutorService> threads = new ArrayList<>();

  private LayeredModel(List<Stage> stages, TuningMethod method, ProcessGroup group) {
    this.group = group;
    this.stages = stages;
    this.method = method;
    for (int i = 0; i < stages.size(); i++) {
      int number = i;
      threads.add(
          Executors.newSingleThreadExecutor(
              task -> {
                Thread thread = new Thread(task, "stage-" + number);
                thread.setDaemon(true);
                return thread;
              }));
    }
  }

  /**
   * Loads each device's layers.
   *
   * @param recipe with every default filled in
   * @param folder the checked base model
   * @param ranges the layers of each device, from the first to the last
   * @param devices cpu or cuda:N of each; the same one twice holds two ranges
   * @param group the ranks that train together, each with such a model of the same ranges
   * @throws dev.finetune.trainer.TrainerException as {@link TunedModel#create} does
   */
  public static LayeredModel create(
      Recipe recipe,
      ModelFolder folder,
      List<LayerRange> ranges,
      List<String> devices,
      ProcessGroup group) {
    return create(TuningMethod.of(recipe, folder), recipe, folder, ranges, devices, group);
  }

  static LayeredModel create(
      TuningMethod method,
      Recipe recipe,
      ModelFolder folder,
      List<LayerRange> ranges,
      List<String> devices,
      ProcessGroup group) {
    int lowest = method.tensors().lowestPart();
    List<Stage> stages = new ArrayList<>();
    try {
      for (int i = 0; i < ranges.size(); i++) {
        TunedModel part =
            TunedModel.create(method, recipe, folder, ranges.get(i), devices.get(i), group);
        stages.add(new Stage(part, lowest));
      }
    } catch (RuntimeException e) {
      stages.forEach(stage -> stage.part().close());
      throw e;
    }
    return new LayeredModel(stages, method, group);
  }

  @Override
  public List<TokenSums> accumulate(
      List<Batch> batches, long windowTokens, IntToLongFunction dropoutSeed, BooleanSupplier stop) {
    ModelFolder folder = stages.get(0).part().base().folder();
    try (PipelineWindow window =
        new PipelineWindow(
            stages,
            batches,
            windowTokens,
            micro -> DropoutSeeds.of(dropoutSeed.applyAsLong(micro), folder),
            stop)) {
      onEachThread(window::run);
      return window.sums();
    }
  }

  /** What a stage does. */
  private interface Work {
    void on(int stage);
  }

  /** Runs the work of all stages at once and waits for all: no native call may run on behind it. */
  private void onEachThread(Work work) {
    List<Future<?>> results = new ArrayList<>();
    for (int i = 0; i < stages.size(); i++) {
      int number = i;
      results.add(threads.get(number).submit(() -> work.on(number)));
    }
    for (Future<?> result : results) {
      try {
        result.get();
      } catch (ExecutionException | InterruptedException e) {
        throw new IllegalStateException("a stage's work keeps what it throws", e);
      }
    }
  }

  @Override
  public double step(double learningRate) {
    if (tiesHeadAcross()) {
      try (ScriptValue gradient = last().script().call("tied_gradient", last().trained())) {
        first().script().run("add_tied_gradient", first().trained(), gradient);
      }
    }
    List<AdamW> parts = stages.stream().map(stage -> stage.part().adamW()).toList();
    double norm = Math.sqrt(parts.stream().mapToDouble(AdamW::gradientSquares).sum());
    parts.forEach(part -> part.step(norm, learningRate));
    stages.forEach(stage -> stage.part().checkFirstStep(norm, learningRate));
    bringTiedHead();
    return norm;
  }

  /** Whether what trains is the embedding on the first device and the head on the last. */
  private boolean tiesHeadAcross() {
    return method.tiesHead() && stages.size() > 1;
  }

  private void bringTiedHead() {
    if (tiesHeadAcross()) {
      try (ScriptValue values = first().script().call("tied_values", first().trained())) {
        last().script().run("set_tied_values", last().trained(), values);
      }
    }
  }

  private TunedModel first() {
    return stages.get(0).part();
  }

  private TunedModel last() {
    return stages.get(stages.size() - 1).part();
  }

  @Override
  public TokenSums evaluate(Batch batch) {
    ScriptValue hidden = stages.get(0).embed(batch);
    for (Stage stage : stages) {
      try (ScriptValue input = hidden;
          Stage.Passed passed = stage.evaluate(batch, input)) {
        if (stage.layers().hasHead()) {
          return stage.lossSums(passed);
        }
        hidden = stage.output(passed);
      }
    }
    throw new IllegalStateException("no stage has the head");
  }

  @Override
  public Map<String, HostTensor> adapter() {
    return method.toFile(
        new TunedValues(
            joined(part -> part.values().tensors()), joined(part -> part.values().start())));
  }

  @Override
  public Map<String, HostTensor> optimizer() {
    List<Map<String, HostTensor>> ofStages =
        stages.stream().map(stage -> stage.part().optimizer()).toList();
    if (group.rank() > 0) {
      return Map.of();
    }
    List<OptimizerState> parts = ofStages.stream().map(OptimizerState::of).toList();
    Map<String, HostTensor> expAvg = new LinkedHashMap<>();
    Map<String, HostTensor> expAvgSq = new LinkedHashMap<>();
    parts.forEach(part -> expAvg.putAll(part.expAvg()));
    parts.forEach(part -> expAvgSq.putAll(part.expAvgSq()));
    return new OptimizerState(expAvg, expAvgSq, parts.get(0).steps()).tensors();
  }

  @Override
  public void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
    if (group.rank() > 0) {
      stages.forEach(stage -> stage.part().restore(Map.of(), Map.of()));
    } else {
      restoreStages(adapter, OptimizerState.of(optimizer));
    }
    bringTiedHead();
  }

  private void restoreStages(Map<String, HostTensor> adapter, OptimizerState state) {
    TrainedTensors tensors = method.tensors();
    method.saved().check("the adapter", adapter);
    tensors.check("the optimizer's exp_avg", state.expAvg());
    tensors.check("the optimizer's exp_avg_sq", state.expAvgSq());
    TunedValues values = method.fromFile(adapter);
    for (Stage stage : stages) {
      TrainedTensors own = tensors.of(stage.layers());
      TrainedTensors remembered = method.remembered().of(stage.layers());
      stage
          .part()
          .restore(
              new TunedValues(own.among(values.tensors()), remembered.among(values.start())),
              new OptimizerState(
                  own.among(state.expAvg()), own.among(state.expAvgSq()), state.steps()));
    }
  }

  /** The window's gradient so far, by file name; copies. */
  Map<String, HostTensor> gradients() {
    return joined(TunedModel::gradients);
  }

  /** The stages' tensors in the order of the layers, which is that of all. */
  private Map<String, HostTensor> joined(Function<TunedModel, Map<String, HostTensor>> part) {
    Map<String, HostTensor> all = new LinkedHashMap<>();
    stages.forEach(stage -> all.putAll(part.apply(stage.part())));
    return all;
  }

  @Override
  public Optional<String> adapterConfig() {
    return method.config();
  }

  @Override
  public ParameterCounts parameters() {
    return method.counts(first().base().folder());
  }

  @Override
  public void close() {
    threads.forEach(ExecutorService::shutdown);
    stages.forEach(stage -> stage.part().close());
  }
}
