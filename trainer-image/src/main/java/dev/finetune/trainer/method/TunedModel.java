package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.engine.DeviceMemoryException;
import dev.finetune.trainer.engine.ScriptValue;
import dev.finetune.trainer.engine.TorchScript;
import dev.finetune.trainer.model.CausalLm;
import dev.finetune.trainer.model.LayerRange;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * A base model with what a {@link TuningMethod} trains of it or on top of it. What trains and the
 * optimizer's state are float32 whatever the model computes in.
 *
 * <p>It may be some consecutive layers of a model with what trains in them: a {@link Stage}.
 */
public final class TunedModel implements TrainableModel {
  private final CausalLm base;
  private final TuningMethod method;
  private final ProcessGroup group;
  private final AdamW optimizer;
  private final boolean recompute;
  private final TrainedTensors tensors;
  private final ScriptValue trained;
  private final ScriptValue model;

  private TunedModel(
      CausalLm base, TuningMethod method, TrainingOptions training, ProcessGroup group) {
    this.base = base;
    this.method = method;
    this.group = group;
    this.recompute = training.gradientCheckpointing();
    this.tensors = method.tensors().of(base.layers());
    this.trained = create(training.seed());
    this.optimizer = new AdamW(script(), trained, tensors, OptimizerOptions.of(training), group);
    try (ScriptValue tuned = script().call("tuned_of", trained)) {
      this.model = base.tuned(tuned, method.tuning());
    }
  }

  private ScriptValue create(long seed) {
    try (ScriptValue starts = script().call("no_weights")) {
      method.putStarts(base, starts);
      return method
          .tensors()
          .create(script(), starts, base.layers(), seed, group.rank(), group.size(), base.device());
    }
  }

  /**
   * Loads the base model and makes what trains.
   *
   * @param recipe with every default filled in
   * @param folder the checked base model
   * @param device cpu, or cuda:N
   * @param group the ranks that train together, each with such a model
   * @throws TrainerException with {@link TrainerExit#USAGE} if the method's settings don't fit the
   *     model, with {@link TrainerExit#OUT_OF_MEMORY} if the model doesn't fit
   */
  public static TunedModel create(
      Recipe recipe, ModelFolder folder, String device, ProcessGroup group) {
    return create(
        TuningMethod.of(recipe, folder),
        recipe.training(),
        folder,
        LayerRange.all(folder.config().layers()),
        device,
        group);
  }

  /** Loads some layers; what trains in them starts as it does among all. */
  static TunedModel create(
      TuningMethod method,
      TrainingOptions training,
      ModelFolder folder,
      LayerRange layers,
      String device,
      ProcessGroup group) {
    CausalLm base = CausalLm.load(folder, layers, device, training.precision());
    try {
      return new TunedModel(base, method, training, group);
    } catch (RuntimeException e) {
      base.close();
      throw e;
    }
  }

  @Override
  public double[] accumulate(
      List<Batch> batches, long windowTokens, IntToLongFunction dropoutSeed, BooleanSupplier stop) {
    double[] sums = new double[batches.size()];
    int done = 0;
    while (done < sums.length && !stop.getAsBoolean()) {
      sums[done] = accumulate(batches.get(done), windowTokens, dropoutSeed.applyAsLong(done));
      done++;
    }
    return Arrays.copyOf(sums, done);
  }

  private double accumulate(Batch batch, long windowTokens, long dropoutSeed) {
    return onBatch(
        batch,
        ids ->
            script()
                .callDouble(
                    "accumulate",
                    ids,
                    labels(batch),
                    segments(batch),
                    model,
                    trained,
                    windowTokens,
                    method.dropout(),
                    DropoutSeeds.of(dropoutSeed, base.folder().config().layers()),
                    recompute,
                    base.headRows()));
  }

  @Override
  public double step(double learningRate) {
    return optimizer.step(learningRate);
  }

  @Override
  public double evaluate(Batch batch) {
    return onBatch(
        batch,
        ids ->
            script()
                .callDouble(
                    "evaluate", ids, labels(batch), segments(batch), model, base.headRows()));
  }

  @Override
  public Map<String, HostTensor> adapter() {
    return optimizer.values();
  }

  @Override
  public Map<String, HostTensor> optimizer() {
    return optimizer.state().map(OptimizerState::tensors).orElse(Map.of());
  }

  @Override
  public void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
    if (group.rank() > 0) {
      this.optimizer.restore(Map.of(), OptimizerState.NONE);
      return;
    }
    tensors.check("the adapter", adapter);
    OptimizerState state = OptimizerState.of(optimizer);
    tensors.check("the optimizer's exp_avg", state.expAvg());
    tensors.check("the optimizer's exp_avg_sq", state.expAvgSq());
    this.optimizer.restore(adapter, state);
  }

  /** The engine's arrays that are open between calls. */
  int openArrays() {
    return script().openArrays();
  }

  /** This rank's gradient of the window so far, by file name; copies. */
  Map<String, HostTensor> gradients() {
    try (ScriptValue gradient = script().call("gradient", trained)) {
      return tensors.read(script(), gradient);
    }
  }

  @Override
  public String adapterConfig() {
    return method.config();
  }

  @Override
  public ParameterCounts parameters() {
    long trainable = tensors.elements();
    return new ParameterCounts(trainable, base.folder().parameters() + trainable);
  }

  CausalLm base() {
    return base;
  }

  TorchScript script() {
    return base.script();
  }

  /** The script's model: the frozen weights with what trains. */
  ScriptValue scriptModel() {
    return model;
  }

  /** The script's tensors that train. */
  ScriptValue trained() {
    return trained;
  }

  AdamW adamW() {
    return optimizer;
  }

  double dropout() {
    return method.dropout();
  }

  boolean recomputes() {
    return recompute;
  }

  static HostTensor labels(Batch batch) {
    return HostTensor.ofLongs(batch.labels(), batch.rows(), batch.length());
  }

  /** Lengths of a packed row's sequences, as the script takes them. */
  static long[] segments(Batch batch) {
    return Arrays.stream(batch.segments()).asLongStream().toArray();
  }

  private double onBatch(Batch batch, ToDoubleFunction<HostTensor> call) {
    return within(
        batch,
        () -> call.applyAsDouble(base.tokens(batch.inputIds(), batch.rows(), batch.length())));
  }

  /**
   * Runs what a batch needs memory for.
   *
   * @throws TrainerException with {@link TrainerExit#OUT_OF_MEMORY} if there isn't enough, saying
   *     what would help
   */
  <T> T within(Batch batch, Supplier<T> work) {
    try {
      return work.get();
    } catch (DeviceMemoryException e) {
      throw new TrainerException(TrainerExit.OUT_OF_MEMORY, outOfMemory(batch, e), e);
    }
  }

  private String outOfMemory(Batch batch, DeviceMemoryException e) {
    String remedy =
        recompute
            ? "set a smaller training.batchSize with more gradientAccumulationSteps (the result is"
                + " the same), or a smaller maxLength"
            : "set training.gradientCheckpointing, which keeps only each layer's input, or a smaller"
                + " batchSize with more gradientAccumulationSteps (the result is the same)";
    return "a batch of %d rows of %d tokens doesn't fit into the memory of %s: %s; %s"
        .formatted(batch.rows(), batch.length(), base.device(), e.getMessage(), remedy);
  }

  @Override
  public void close() {
    model.close();
    trained.close();
    base.close();
  }
}
