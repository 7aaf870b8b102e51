package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.LoraOptions;
import dev.finetune.api.v1alpha1.LoraVariant;
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
import dev.finetune.trainer.model.LinearLayer;
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
 * Low-rank adaptation (arXiv:2106.09685): each target's weight W (out, in) stays frozen and becomes
 * W + s B A with A (r, in) and B (out, r) trained, s = alpha / r, or alpha / sqrt(r) where it is
 * rank-stabilised (arXiv:2312.03732). A starts uniform in +-1/sqrt(in), B at zero. A, B and the
 * optimizer's state are float32 whatever the model computes in.
 *
 * <p>It may be some consecutive layers of a model with what trains in them: a {@link LoraStage}.
 */
public final class LoraModel implements TrainableModel {
  private final CausalLm base;
  private final LoraOptions lora;
  private final ProcessGroup group;
  private final AdamW optimizer;
  private final boolean recompute;
  private final List<LinearLayer> adapted;
  private final LoraTensors tensors;
  private final ScriptValue trained;
  private final ScriptValue model;

  private LoraModel(CausalLm base, Recipe recipe, List<LinearLayer> adapted, ProcessGroup group) {
    TrainingOptions training = recipe.training();
    this.base = base;
    this.lora = recipe.method().lora();
    this.group = group;
    this.recompute = training.gradientCheckpointing();
    this.adapted = adapted;
    LayerRange layers = base.layers();
    LoraTensors all = new LoraTensors(adapted, lora.rank());
    this.tensors = all.of(layers);
    this.trained =
        script()
            .call(
                "new_trained",
                all.scriptNames(),
                all.layers(),
                all.rows(),
                all.columns(),
                layers.layers(),
                layers.first(),
                layers.end(),
                training.seed(),
                group.rank(),
                group.size(),
                base.device());
    this.optimizer = new AdamW(script(), trained, OptimizerOptions.of(training), group);
    try (ScriptValue adapter = script().call("adapter_of", trained)) {
      this.model = base.withAdapter(adapter, scale(lora));
    }
  }

  /**
   * Loads the base model and puts a fresh adapter on it.
   *
   * @param recipe its method must be lora, with every default filled in
   * @param folder the checked base model
   * @param device cpu, or cuda:N
   * @param group the ranks that train together, each with such a model
   * @throws TrainerException with {@link TrainerExit#USAGE} if a target names no linear layer, with
   *     {@link TrainerExit#OUT_OF_MEMORY} if the model doesn't fit
   */
  public static LoraModel create(
      Recipe recipe, ModelFolder folder, String device, ProcessGroup group) {
    return create(recipe, folder, LayerRange.all(folder.config().layers()), device, group);
  }

  /** Loads some layers; their part of the adapter starts as it does among all. */
  static LoraModel create(
      Recipe recipe, ModelFolder folder, LayerRange layers, String device, ProcessGroup group) {
    List<LinearLayer> adapted =
        LoraTargets.resolve(recipe.method().lora().targetModules(), folder.linearLayers());
    CausalLm base = CausalLm.load(folder, layers, device, recipe.training().precision());
    try {
      return new LoraModel(base, recipe, adapted, group);
    } catch (RuntimeException e) {
      base.close();
      throw e;
    }
  }

  static double scale(LoraOptions lora) {
    return lora.variant() == LoraVariant.RANK_STABILIZED
        ? lora.alpha() / Math.sqrt(lora.rank())
        : lora.alpha() / lora.rank();
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
                    lora.dropout(),
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
    return tensors.split(optimizer.values());
  }

  @Override
  public Map<String, HostTensor> optimizer() {
    return optimizer
        .state()
        .map(
            state ->
                new OptimizerState(
                        tensors.split(state.expAvg()),
                        tensors.split(state.expAvgSq()),
                        state.steps())
                    .tensors())
        .orElse(Map.of());
  }

  @Override
  public void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
    if (group.rank() > 0) {
      HostTensor none = HostTensor.ofFloats(new float[0], 0);
      this.optimizer.restore(new AdamW.FlatState(none, none, none, 0));
      return;
    }
    tensors.check("the adapter", adapter);
    OptimizerState state = OptimizerState.of(optimizer);
    tensors.check("the optimizer's exp_avg", state.expAvg());
    tensors.check("the optimizer's exp_avg_sq", state.expAvgSq());
    this.optimizer.restore(
        new AdamW.FlatState(
            tensors.join(adapter),
            tensors.join(state.expAvg()),
            tensors.join(state.expAvgSq()),
            state.steps()));
  }

  /** The engine's arrays that are open between calls. */
  int openArrays() {
    return script().openArrays();
  }

  /** This rank's gradient of the window so far, by PEFT's name; copies. */
  Map<String, HostTensor> gradients() {
    try (ScriptValue gradient = script().call("gradient", trained)) {
      return tensors.split(script().callTensor("read_whole", trained, gradient));
    }
  }

  @Override
  public String adapterConfig() {
    return AdapterConfig.json(lora, adapted, base.folder().linearLayers(), base.folder().path());
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

  /** The script's model: the frozen weights with the adapter. */
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
    return lora.dropout();
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
