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
import dev.finetune.trainer.model.ModelPart;
import dev.finetune.trainer.model.PictureTiles;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.safetensors.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.IntToLongFunction;
import java.util.function.Supplier;

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
  private final double noise;
  private final TrainedTensors tensors;
  private final TrainedTensors remembered;
  private final ScriptValue trained;
  private final ScriptValue model;
  private final FirstStep firstStep;
  private final FirstStep firstStepWithPictures;
  private Map<String, HostTensor> start = Map.of();

  /** Whether a row that was trained on since the last step had one. */
  private boolean trainedPictures;

  private TunedModel(
      CausalLm base, TuningMethod method, TrainingOptions training, ProcessGroup group) {
    this.base = base;
    this.method = method;
    this.group = group;
    this.recompute = training.gradientCheckpointing();
    this.noise = training.neftuneAlpha() == null ? 0 : training.neftuneAlpha();
    this.tensors = method.tensors().of(base.layers());
    this.remembered = method.remembered().of(base.layers());
    this.trained = create(training.seed());
    this.optimizer = new AdamW(script(), trained, tensors, OptimizerOptions.of(training), group);
    try (ScriptValue tuned = script().call("tuned_of", trained)) {
      this.model = base.tuned(tuned, method.tuning());
    }
    this.firstStep = new FirstStep(script(), trained, zeros(true));
    this.firstStepWithPictures = new FirstStep(script(), trained, zeros(false));
    if (!remembered.all().isEmpty()) {
      Map<String, HostTensor> values = optimizer.sharedOf(tensors, optimizer.values());
      optimizer.restore(values, OptimizerState.zeros(tensors));
      takeOut(values);
    }
  }

  /** Names of what starts at zero in the language model, or in what looks at pictures. */
  private List<String> zeros(boolean ofLanguage) {
    return tensors.namesOfZeros().stream()
        .filter(name -> (ModelFolder.modelPart(name) == ModelPart.LANGUAGE_MODEL) == ofLanguage)
        .toList();
  }

  /** Has the base model's weights start without what trains of them. */
  private void takeOut(Map<String, HostTensor> values) {
    start = optimizer.sharedOf(remembered, values);
    method.takeOut(base, start);
  }

  private ScriptValue create(long seed) {
    try (ScriptValue starts = script().call("no_weights")) {
      method.putStarts(base, starts);
      return method
          .tensors()
          .create(
              script(),
              starts,
              base.layers(),
              method.tiesHead(),
              seed,
              group.rank(),
              group.size(),
              base.device());
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
        recipe,
        folder,
        LayerRange.all(folder.config().layers()),
        device,
        group);
  }

  /** Loads some layers; what trains in them starts as it does among all. */
  static TunedModel create(
      TuningMethod method,
      Recipe recipe,
      ModelFolder folder,
      LayerRange layers,
      String device,
      ProcessGroup group) {
    TrainingOptions training = recipe.training();
    CausalLm base =
        CausalLm.load(
            folder,
            layers,
            method.replacedWeights(),
            device,
            training.precision(),
            recipe.model().quantization());
    try {
      return new TunedModel(base, method, training, group);
    } catch (RuntimeException e) {
      base.close();
      throw e;
    }
  }

  @Override
  public List<TokenSums> accumulate(
      List<Batch> batches, long windowTokens, IntToLongFunction dropoutSeed, BooleanSupplier stop) {
    List<TokenSums> sums = new ArrayList<>();
    while (sums.size() < batches.size() && !stop.getAsBoolean()) {
      int micro = sums.size();
      sums.add(accumulate(batches.get(micro), windowTokens, dropoutSeed.applyAsLong(micro)));
    }
    return sums;
  }

  private TokenSums accumulate(Batch batch, long windowTokens, long dropoutSeed) {
    noteTrained(batch);
    return onBatch(
        batch,
        (ids, tiles) ->
            script()
                .callDoubles(
                    "accumulate",
                    ids,
                    labels(batch),
                    segments(batch),
                    tiles.pixels(),
                    tiles.count(),
                    model,
                    trained,
                    windowTokens,
                    method.dropout(),
                    noise,
                    DropoutSeeds.of(dropoutSeed, base.folder()),
                    recompute,
                    base.headRows()));
  }

  @Override
  public double step(double learningRate) {
    double norm = optimizer.step(learningRate);
    checkFirstStep(norm, learningRate);
    return norm;
  }

  /** Looks whether the first step moved what it should, and the first with pictures theirs. */
  void checkFirstStep(double norm, double learningRate) {
    firstStep.check(norm, learningRate);
    if (trainedPictures) {
      firstStepWithPictures.check(norm, learningRate);
    }
    trainedPictures = false;
  }

  @Override
  public TokenSums evaluate(Batch batch) {
    return onBatch(
        batch,
        (ids, tiles) ->
            script()
                .callDoubles(
                    "evaluate",
                    ids,
                    labels(batch),
                    segments(batch),
                    tiles.pixels(),
                    tiles.count(),
                    model,
                    base.headRows()));
  }

  @Override
  public Optional<String> firstNonFinite(Batch batch) {
    int layers = base.folder().config().layers();
    HostTensor ids = base.tokens(batch.inputIds(), batch.rows(), batch.length());
    PictureTiles tiles = tiles(batch);
    long place =
        within(
            batch,
            () ->
                script()
                    .callLong(
                        "first_non_finite",
                        ids,
                        segments(batch),
                        tiles.pixels(),
                        tiles.count(),
                        model,
                        base.headRows()));
    if (place < 0) {
      return Optional.of(
          tiles.count() == 0 ? "the embedding" : "the embedding or the vision tower");
    }
    if (place < layers) {
      return Optional.of("decoder layer " + place);
    }
    return place == layers ? Optional.of("the head") : Optional.empty();
  }

  @Override
  public Optional<TextGenerator> generator() {
    return Optional.of(
        TextGenerator.borrowing(
            base,
            model,
            method.tuning().prefix(),
            method.virtualTokens() - method.tuning().prefix()));
  }

  @Override
  public Map<String, HostTensor> adapter() {
    return method.toFile(values());
  }

  /** What trains here. */
  TunedValues values() {
    return new TunedValues(optimizer.values(), start);
  }

  @Override
  public Map<String, HostTensor> optimizer() {
    return optimizer.state().map(OptimizerState::tensors).orElse(Map.of());
  }

  @Override
  public void restore(Map<String, HostTensor> adapter, Map<String, HostTensor> optimizer) {
    if (group.rank() > 0) {
      restore(new TunedValues(Map.of(), Map.of()), OptimizerState.NONE);
      return;
    }
    method.saved().check("the adapter", adapter);
    OptimizerState state = OptimizerState.of(optimizer);
    tensors.check("the optimizer's exp_avg", state.expAvg());
    tensors.check("the optimizer's exp_avg_sq", state.expAvgSq());
    restore(method.fromFile(adapter), state);
  }

  /** Sets what trains here and its optimizer to rank 0's; on the others all may be empty. */
  void restore(TunedValues values, OptimizerState state) {
    optimizer.restore(values.tensors(), state);
    if (!remembered.all().isEmpty()) {
      takeOut(values.start());
    }
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
  public Optional<String> adapterConfig() {
    return method.config();
  }

  @Override
  public ParameterCounts parameters() {
    return method.counts(base.folder());
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

  /** alpha of NEFTune's noise on the embeddings in training; 0 is none. */
  double noise() {
    return noise;
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

  private TokenSums onBatch(Batch batch, BiFunction<HostTensor, PictureTiles, double[]> call) {
    HostTensor ids = base.tokens(batch.inputIds(), batch.rows(), batch.length());
    PictureTiles tiles = tiles(batch);
    return within(batch, () -> TokenSums.of(call.apply(ids, tiles)));
  }

  /** Takes note of a batch whose gradients will be in the next step. */
  void noteTrained(Batch batch) {
    trainedPictures |= !batch.pictures().isEmpty();
  }

  /** The tiles of a batch's pictures. */
  PictureTiles tiles(Batch batch) {
    return base.tiles(batch.pictures(), batch.inputIds());
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
            : "set training.gradientCheckpointing, which keeps only each layer's input, or a"
                + " smaller batchSize with more gradientAccumulationSteps (the result is the"
                + " same)";
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
