package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.api.v1alpha1.TrainingOptions;
import dev.finetune.api.v1alpha1.TrainingResult;
import dev.finetune.api.v1alpha1.ValidationOptions;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.checkpoint.AdapterFolder;
import dev.finetune.trainer.checkpoint.CheckpointScan;
import dev.finetune.trainer.checkpoint.CheckpointStore;
import dev.finetune.trainer.checkpoint.Destination;
import dev.finetune.trainer.checkpoint.RecipeCopy;
import dev.finetune.trainer.checkpoint.ResultFolder;
import dev.finetune.trainer.checkpoint.RunIdentity;
import dev.finetune.trainer.checkpoint.RunToken;
import dev.finetune.trainer.checkpoint.TrainerState;
import dev.finetune.trainer.checkpoint.TunedModelFolder;
import dev.finetune.trainer.data.ConversationForm;
import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.PreparedDataset;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.export.MergedModel;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.model.ModelFolder;
import dev.finetune.trainer.model.SamplingOptions;
import dev.finetune.trainer.model.TextGenerator;
import dev.finetune.trainer.report.Listeners;
import dev.finetune.trainer.report.LogFile;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.report.RunStart;
import dev.finetune.trainer.report.plot.RunPlots;
import dev.finetune.trainer.report.tensorboard.EventLog;
import dev.finetune.trainer.train.AnswerScoring;
import dev.finetune.trainer.train.LoopEnd;
import dev.finetune.trainer.train.Ranks;
import dev.finetune.trainer.train.TrainingData;
import dev.finetune.trainer.train.TrainingLoop;
import dev.finetune.trainer.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Files;
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
  /** The merged model in the destination. */
  private static final String MERGED = "merged";

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
      requireValidation(rows);
      ModelFolder folder = ModelFolder.open(modelPath);
      folder.config().checkLength(dataset.verdict().maxLength());
      stop.check();
      return new Inputs(folder, rows, run);
    }
  }

  private void requireValidation(TrainingData data) {
    String needing =
        options.earlyStoppingPatience() != null
            ? "training.earlyStoppingPatience"
            : scoresAnswers() ? "dataset.validation.scores" : null;
    if (needing != null && data.validation().isEmpty()) {
      throw new TrainerException(
          TrainerExit.USAGE,
          ("%s needs validation rows, and there are none; set dataset.validation.fraction or"
                  + " dataset.validation.sources, or leave it out")
              .formatted(needing));
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
    ResultFolder folder = resultFolder(destination, inputs.folder());
    boolean done = scan.holds(folder);
    briefing.tellStart(done ? Optional.empty() : Optional.of(checkpoints.state()));
    if (done) {
      listener.started(start(plan(inputs.data()), checkpoints));
      return "the %s of this recipe is already at %s%s"
          .formatted(
              folder.name(),
              folder.location(),
              finish(destination, checkpoints, folder, inputs.folder()));
    }
    RecipeCopy.write(destination, resolved.tree(), inputs.run());
    try (TrainableModel model = models.create(recipe, inputs.folder(), rank)) {
      listener.loaded(model.parameters());
      stop.check();
      train(destination, inputs.data(), model, checkpoints);
    }
    folder.write(checkpoints);
    return "the %s is at %s%s"
        .formatted(
            folder.name(),
            folder.location(),
            finish(destination, checkpoints, folder, inputs.folder()));
  }

  private ResultFolder resultFolder(Destination destination, ModelFolder base) {
    return recipe.method().full() == null
        ? new AdapterFolder(destination)
        : new TunedModelFolder(destination, base);
  }

  /**
   * Merges the adapter where that is asked for and not done yet, and says where the results are.
   *
   * @return what is there beside the result, as the rest of a sentence
   */
  private String finish(
      Destination destination, CheckpointStore checkpoints, ResultFolder folder, ModelFolder base) {
    String logs = destination.locationOf(LogFile.NAME);
    if (folder instanceof TunedModelFolder) {
      listener.finished(new TrainingResult(null, folder.location(), logs));
      return "";
    }
    String model = null;
    String also = "";
    if (Boolean.TRUE.equals(recipe.output().merge())) {
      model = destination.locationOf(MERGED);
      Path target = destination.resolve(MERGED);
      if (!Files.exists(target)) {
        stop.check();
        String found =
            new MergedModel(base, destination.resolve(AdapterFolder.NAME), rank.devices().get(0))
                .writeTo(target, checkpoints::requireOwner);
        also = " and the merged model at %s; %s".formatted(model, found);
      }
    }
    listener.finished(new TrainingResult(folder.location(), model, logs));
    return also;
  }

  private void train(
      Destination destination, TrainingData data, TrainableModel model, CheckpointStore checkpoints)
      throws IOException {
    TrainerState state = checkpoints.resume(model);
    Path logFile = destination.resolve(LogFile.NAME);
    int step = state.step();
    boolean evaluated = state.isEvaluated();
    try (LogFile log = LogFile.open(logFile, step, evaluated, listener::warned);
        EventLog events =
            EventLog.open(
                destination.resolve(EventLog.FOLDER),
                step,
                evaluated,
                Clock.systemUTC(),
                System::nanoTime,
                listener::warned);
        // Closed first, as it reads the log.
        RunPlots plots =
            new RunPlots(logFile, destination.resolve(RunPlots.FOLDER), listener::warned)) {
      listener.started(start(plan(data), checkpoints));
      RunListener all = new Listeners(List.of(listener, log, events, plots));
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
    LoopEnd end;
    try (Tokenizer tokenizer = Tokenizer.load(modelPath())) {
      AnswerScoring answers = scoring(data, model, tokenizer);
      end =
          new TrainingLoop(plan, data, model, checkpoints, heard, ranks, Clock.systemUTC(), answers)
              .run(state);
    }
    if (!end.finished()) {
      String from = checkpoints.map(CheckpointStore::describeLatest).orElse("its last checkpoint");
      throw new TrainerException(
          TrainerExit.TRY_AGAIN,
          "stopped by a signal after step %d of %d; run again to go on from %s"
              .formatted(end.state().step(), plan.totalSteps(), from));
    }
  }

  /**
   * What scores the model's answers.
   *
   * @throws TrainerException USAGE if the recipe asks for scores and this model can't write
   */
  private AnswerScoring scoring(TrainingData data, TrainableModel model, Tokenizer tokenizer) {
    ValidationOptions validation = recipe.dataset().validation();
    if (!scoresAnswers()) {
      return AnswerScoring.NONE;
    }
    TextGenerator generator =
        model
            .generator()
            .orElseThrow(
                () ->
                    new TrainerException(
                        TrainerExit.USAGE,
                        "dataset.validation.scores needs the whole model on one device, and its layers"
                            + " lie on several; leave it out, or use a rank for each device"));
    List<TokenizedExample> rows =
        data.validation().stream()
            .flatMap(batch -> batch.examples().stream())
            .limit(validation.scoredRows())
            .toList();
    ConversationForm form = new DataCheck(recipe, locations).form(tokenizer, Clock.systemUTC());
    return new AnswerScoring(
        validation.scores(),
        rows,
        generator,
        SamplingOptions.greedy(validation.answerTokens(), form.stopIds()),
        ids -> tokenizer.decode(ids, true));
  }

  private Path modelPath() {
    return new DataCheck(recipe, locations).modelPath();
  }

  private boolean scoresAnswers() {
    ValidationOptions validation = recipe.dataset().validation();
    return validation != null && validation.scores() != null && !validation.scores().isEmpty();
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
        plan.totalSteps(state),
        plan.totalEpochs(),
        state.logged() == null ? null : state.logged().loss(),
        state.logged() == null ? null : state.logged().tokenAccuracy(),
        state.evaluation() == null ? null : state.evaluation().loss(),
        state.evaluation() == null ? null : state.evaluation().tokenAccuracy(),
        state.epochs(),
        checkpoints.summary());
  }
}
