package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.api.v1alpha1.TrainingResult;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.checkpoint.AdapterFolder;
import dev.finetune.trainer.checkpoint.CheckpointScan;
import dev.finetune.trainer.checkpoint.CheckpointStore;
import dev.finetune.trainer.checkpoint.Destination;
import dev.finetune.trainer.checkpoint.RecipeCopy;
import dev.finetune.trainer.checkpoint.RunIdentity;
import dev.finetune.trainer.checkpoint.RunToken;
import dev.finetune.trainer.checkpoint.TrainerState;
import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.PreparedDataset;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.report.Listeners;
import dev.finetune.trainer.report.LogFile;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.report.RunStart;
import dev.finetune.trainer.train.LoopEnd;
import dev.finetune.trainer.train.Ranks;
import dev.finetune.trainer.train.TrainingData;
import dev.finetune.trainer.train.TrainingLoop;
import dev.finetune.trainer.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One run from its recipe to its adapter. What can be found wrong is found in the order of what it
 * costs: the destination, every row, the model's files, and only then are weights loaded.
 *
 * <p>Of several ranks the first one leads: the destination is its alone, and the others hear from
 * it where training begins.
 */
final class FineTuning {
  private final ResolvedRecipe resolved;
  private final Recipe recipe;
  private final TrainingOptions options;
  private final Locations locations;
  private final RunToken token;
  private final RunListener listener;
  private final GracefulStop stop;
  private final LocalRank rank;
  private final Briefing briefing;
  private final ModelFactory models;

  FineTuning(
      ResolvedRecipe resolved,
      Locations locations,
      RunToken token,
      RunListener listener,
      GracefulStop stop,
      LocalRank rank,
      ModelFactory models) {
    this.resolved = resolved;
    this.recipe = resolved.recipe();
    this.options = recipe.training();
    this.locations = locations;
    this.token = token;
    this.listener = listener;
    this.stop = stop;
    this.rank = rank;
    this.briefing = new Briefing(rank.group());
    this.models = models;
  }

  /**
   * Runs to the end.
   *
   * @return what was done, in a sentence
   * @throws TrainerException for every other end; TRY_AGAIN if the run was asked to stop
   */
  String run() {
    if (!rank.leads()) {
      return follow();
    }
    listener.resolved(resolved.tree());
    Destination destination = Destinations.open(recipe.output().destination(), locations);
    try {
      return run(destination);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.OUTPUT,
          "the destination %s can't be used: %s"
              .formatted(destination.location(), FileErrors.describe(e)),
          e);
    }
  }

  private String run(Destination destination) throws IOException {
    CheckpointScan scan = new CheckpointScan(destination, listener::warned);
    LocalDate startDate =
        scan.startDate().map(LocalDate::parse).orElseGet(() -> LocalDate.now(ZoneOffset.UTC));
    briefing.tellDate(startDate);
    Inputs inputs = read(startDate);
    briefing.tellRun(inputs.run());
    return train(destination, scan, inputs);
  }

  private String follow() {
    Inputs inputs = read(briefing.hearDate());
    briefing.check(inputs.run());
    Optional<TrainerState> start = briefing.hearStart();
    if (start.isPresent()) {
      try (TrainableModel model = models.create(recipe, inputs.folder(), rank)) {
        stop.check();
        if (start.get().step() > 0) {
          model.restore(Map.of(), Map.of());
        }
        loop(inputs.data(), model, Optional.empty(), listener, start.get());
      }
    }
    return "rank %d is done".formatted(rank.group().rank());
  }

  /**
   * What a rank reads before it trains.
   *
   * @param folder the base model, whose weights are not loaded yet
   * @param data this rank's rows
   * @param run the same on every rank
   */
  private record Inputs(ModelFolder folder, TrainingData data, RunIdentity run) {}

  private Inputs read(LocalDate startDate) {
    DataCheck data = new DataCheck(recipe, locations);
    Path modelPath = data.modelPath();
    try (Tokenizer tokenizer = Tokenizer.load(modelPath)) {
      PreparedDataset dataset = data.prepare(tokenizer, startDate);
      listener.checked(dataset.verdict());
      dataset.warnings().forEach(listener::warned);
      stop.check();
      RunIdentity run =
          RunIdentity.of(
              resolved.tree(),
              rowsPerStep(),
              Fingerprints.of(dataset),
              Fingerprints.of(modelPath),
              startDate.toString(),
              Versions.all());
      TrainingData rows = data(dataset, tokenizer.padId());
      ModelFolder folder = ModelFolder.open(modelPath);
      stop.check();
      return new Inputs(folder, rows, run);
    }
  }

  private TrainingData data(PreparedDataset dataset, int padId) {
    return new TrainingData(
        new MicroBatches(
            dataset.train(),
            dataset.order(recipe.dataset(), options, rowsPerStep()),
            options.batchSize(),
            options.gradientAccumulationSteps(),
            rank.group().rank(),
            rank.group().size(),
            padId),
        dataset.validationBatches(options, padId));
  }

  private int rowsPerStep() {
    return options.batchSize() * options.gradientAccumulationSteps() * rank.group().size();
  }

  private String train(Destination destination, CheckpointScan scan, Inputs inputs)
      throws IOException {
    CheckpointStore checkpoints = scan.open(inputs.run(), token, options.keepCheckpoints());
    AdapterFolder adapter = new AdapterFolder(destination);
    TrainingResult result =
        new TrainingResult(adapter.location(), null, destination.locationOf(LogFile.NAME));
    boolean done = scan.holdsResult();
    briefing.tellStart(done ? Optional.empty() : Optional.of(checkpoints.state()));
    if (done) {
      listener.started(start(plan(inputs.data()), checkpoints));
      listener.finished(result);
      return "the adapter of this recipe is already at " + adapter.location();
    }
    RecipeCopy.write(destination, resolved.tree(), inputs.run());
    try (TrainableModel model = models.create(recipe, inputs.folder(), rank)) {
      listener.loaded(model.parameters());
      stop.check();
      train(destination, inputs.data(), model, checkpoints);
    }
    adapter.write(checkpoints);
    listener.finished(result);
    return "the adapter is at " + adapter.location();
  }

  private void train(
      Destination destination, TrainingData data, TrainableModel model, CheckpointStore checkpoints)
      throws IOException {
    TrainerState state = checkpoints.resume(model);
    Path logFile = destination.resolve(LogFile.NAME);
    boolean evaluated = state.evaluatedStep() == state.step();
    try (LogFile log = LogFile.open(logFile, state.step(), evaluated, listener::warned)) {
      listener.started(start(plan(data), checkpoints));
      RunListener all = new Listeners(List.of(listener, log));
      loop(data, model, Optional.of(checkpoints), all, state);
    }
  }

  /**
   * Trains to the end.
   *
   * @throws TrainerException TRY_AGAIN if a rank was asked to stop
   */
  private void loop(
      TrainingData data,
      TrainableModel model,
      Optional<CheckpointStore> checkpoints,
      RunListener heard,
      TrainerState state) {
    TrainingPlan plan = plan(data);
    Ranks ranks = new Ranks(rank.group(), stop.signal(), rank.host());
    LoopEnd end =
        new TrainingLoop(plan, data, model, checkpoints, heard, ranks, Clock.systemUTC())
            .run(state);
    if (!end.finished()) {
      String from = checkpoints.map(CheckpointStore::describeLatest).orElse("its last checkpoint");
      throw new TrainerException(
          TrainerExit.TRY_AGAIN,
          "stopped by a signal after step %d of %d; run again to go on from %s"
              .formatted(end.state().step(), plan.totalSteps(), from));
    }
  }

  private TrainingPlan plan(TrainingData data) {
    return new TrainingPlan(
        options, data.training().windowsPerEpoch(), !data.validation().isEmpty());
  }

  private static RunStart start(TrainingPlan plan, CheckpointStore checkpoints) {
    TrainerState state = checkpoints.state();
    return new RunStart(
        state.step(),
        plan.epochsAfter(state.step()),
        plan.totalSteps(),
        plan.totalEpochs(),
        state.loggedLoss(),
        state.evalLoss(),
        state.epochs(),
        checkpoints.summary());
  }
}
