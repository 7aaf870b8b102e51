package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.GenerationScore;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.checkpoint.CheckpointStore;
import dev.finetune.trainer.checkpoint.LossSum;
import dev.finetune.trainer.checkpoint.TrainerState;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.method.TokenSums;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.report.EvaluationReport;
import dev.finetune.trainer.report.Rollback;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.report.StepReport;
import java.io.IOException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Trains a model from a state to the plan's last step.
 *
 * <p>A step's loss is the sum of the negative log-likelihoods over all supervised tokens of its
 * window, divided by their number; how the window is cut into micro-batches and spread over ranks
 * makes no difference. Every rank runs this loop in step with the others; rank 0 alone reports and
 * writes.
 */
public final class TrainingLoop {
  private final TrainingPlan plan;
  private final TrainingData data;
  private final TrainableModel model;
  private final Optional<CheckpointStore> checkpoints;
  private final RunListener listener;
  private final Ranks ranks;
  private final RankClock speeds;
  private final Evaluator evaluator;
  private final AnswerScoring answers;
  private final Clock clock;
  private boolean stopping;

  /** The same without scores of answers. */
  public TrainingLoop(
      TrainingPlan plan,
      TrainingData data,
      TrainableModel model,
      Optional<CheckpointStore> checkpoints,
      RunListener listener,
      Ranks ranks,
      Clock clock) {
    this(plan, data, model, checkpoints, listener, ranks, clock, AnswerScoring.NONE);
  }

  /**
   * @param plan which step does what
   * @param data the rows in their order
   * @param model what is trained; set to the state that the run goes on from
   * @param checkpoints where checkpoints go; rank 0 alone has it
   * @param listener hears what happens
   * @param ranks the ranks of the run; one that is asked to stop ends it early, with a checkpoint
   * @param clock dates the ends of epochs
   * @param answers scores the model's answers with each evaluation
   */
  public TrainingLoop(
      TrainingPlan plan,
      TrainingData data,
      TrainableModel model,
      Optional<CheckpointStore> checkpoints,
      RunListener listener,
      Ranks ranks,
      Clock clock,
      AnswerScoring answers) {
    this.plan = plan;
    this.data = data;
    this.model = model;
    this.checkpoints = checkpoints;
    this.listener = listener;
    this.ranks = ranks;
    this.speeds = new RankClock(ranks.hosts());
    this.evaluator = new Evaluator(model, data.validation(), ranks);
    this.answers = answers;
    this.clock = clock;
  }

  /**
   * Trains until the last step is done and saved, or until evaluations get no better for as long as
   * the plan is patient, or until the run is asked to stop; then the last complete step is saved
   * and the open window is forgotten.
   *
   * @param start where to go on from
   * @return where training ended, and whether that is the plan's end
   * @throws TrainerException if a number becomes NaN or infinite and the plan is not, or no longer,
   *     to go back then, or if the last checkpoint can't be written
   */
  public LoopEnd run(TrainerState start) {
    TrainerState state = start;
    while (true) {
      // First what is due after the last step: a stopped attempt may have left it undone.
      int step = state.step();
      if (plan.evaluatesAfter(step) && !state.isEvaluated()) {
        state = evaluate(state);
      }
      if (stopping) {
        saveBeforeStopping(state);
        return new LoopEnd(state, false);
      }
      if (plan.endsEpochAfter(step) && state.epochs().size() < plan.epochOf(step)) {
        state = endEpoch(state);
      }
      if (plan.saves(state) && ranks.leaderSays(lacks(state))) {
        save(state);
      }
      if (plan.ends(state)) {
        sayWhyEarly(state);
        return new LoopEnd(state, true);
      }
      state = isLeftOut(step + 1, state) ? leaveOut(state) : train(state);
    }
  }

  /** Takes a step; the state stays as it is where the run was asked to stop before its end. */
  private TrainerState train(TrainerState state) {
    int step = state.step();
    MicroBatches.Window window = data.training().window(plan.epochOf(step), plan.windowOf(step));
    long start = System.nanoTime();
    List<TokenSums> micros = accumulate(window, step);
    Ranks.Sums sums = sum(window, micros, System.nanoTime() - start);
    if (!Double.isFinite(sums.nll())) {
      return afterNonFinite(state, nonFiniteLoss(window, micros, sums.nll(), step + 1));
    }
    if (!sums.complete()) {
      stopping = true;
      return state;
    }
    double learningRate = plan.learningRate(step);
    double gradientNorm = model.step(learningRate);
    if (!Double.isFinite(gradientNorm)) {
      return afterNonFinite(state, nonFiniteNorm(window, gradientNorm, step + 1));
    }
    LossSum sum = new LossSum(sums.nll(), window.supervisedTokens(), sums.correct());
    speeds.add(sums);
    return report(
        state.stepped(sum),
        new StepReport(
            step + 1,
            plan.epochsAfter(step + 1),
            sum.mean(),
            sum.accuracy(),
            gradientNorm,
            learningRate,
            window.tokens()));
  }

  /** Forward and backward of this rank's part. */
  private List<TokenSums> accumulate(MicroBatches.Window window, int step) {
    return model.accumulate(
        window.batches(),
        window.supervisedTokens(),
        // As one rank numbers the micro-batches: no two of a window draw the same masks.
        micro -> plan.dropoutSeed(step, micro * ranks.count() + ranks.rank()),
        ranks::stopRequested);
  }

  /** What all ranks measured of their parts. */
  private Ranks.Sums sum(MicroBatches.Window window, List<TokenSums> micros, long nanos) {
    List<Batch> batches = window.batches();
    TokenSums all =
        new TokenSums(
            micros.stream().mapToDouble(TokenSums::nll).sum(),
            micros.stream().mapToLong(TokenSums::correct).sum());
    long tokens = batches.stream().mapToLong(Batch::tokens).sum();
    // A rank without rows in this window must still hear of a stop.
    boolean complete =
        micros.size() == batches.size() && !(batches.isEmpty() && ranks.stopRequested());
    return ranks.sum(complete, all, tokens, nanos);
  }

  private NonFinite nonFiniteLoss(
      MicroBatches.Window window, List<TokenSums> micros, double sum, int step) {
    for (int micro = 0; micro < micros.size(); micro++) {
      double nll = micros.get(micro).nll();
      if (!Double.isFinite(nll)) {
        Batch batch = window.batches().get(micro);
        return new NonFinite("loss", nll, step, batch.examples(), model.firstNonFinite(batch));
      }
    }
    return new NonFinite("loss", sum, step, List.of(), Optional.empty());
  }

  private NonFinite nonFiniteNorm(MicroBatches.Window window, double norm, int step) {
    Optional<String> place =
        window.batches().stream().map(model::firstNonFinite).flatMap(Optional::stream).findFirst();
    return new NonFinite("gradient norm", norm, step, rowsOf(window), place);
  }

  /**
   * Goes back to the last checkpoint, once in a run, to leave the step's window out from there on.
   *
   * @throws TrainerException where the plan is not to do that, has done it, or has no checkpoint
   */
  private TrainerState afterNonFinite(TrainerState state, NonFinite fault) {
    boolean spent = state.leftOutStep() != null;
    if (!plan.rollsBack()
        || spent
        || !ranks.leaderSays(checkpoints.filter(store -> !store.isEmpty()).isPresent())) {
      throw fault.failure();
    }
    Optional<String> own =
        fault.rows().isEmpty() ? Optional.empty() : Optional.of(fault.describe());
    List<String> faults = ranks.allSay("rollback/fault/", own);
    TrainerState saved =
        TrainerState.ofJson(
            ranks.fromLeader("rollback/state", () -> checkpoints.orElseThrow().state().toJson()));
    checkpoints.ifPresentOrElse(
        store -> store.restoreLatest(model), () -> model.restore(Map.of(), Map.of()));
    TrainerState back = saved.leavingOut(fault.step());
    listener.rolledBack(
        new Rollback(
            back.step(),
            plan.epochsAfter(back.step()),
            back.isEvaluated(),
            fault.step(),
            String.join("; ", faults)));
    // Not only where one is due: the next attempt must know of it.
    if (ranks.leaderSays(lacks(back))) {
      save(back);
    }
    return back;
  }

  private static boolean isLeftOut(int step, TrainerState state) {
    return Integer.valueOf(step).equals(state.leftOutStep());
  }

  /** Passes a step by, on which neither a gradient nor a stop is looked at. */
  private TrainerState leaveOut(TrainerState state) {
    TrainerState passed = state.passed();
    listener.leftOut(passed.step(), plan.epochsAfter(passed.step()));
    return passed;
  }

  private void sayWhyEarly(TrainerState state) {
    if (state.step() < plan.totalSteps()) {
      TrainerState.Evaluation evaluation = state.evaluation();
      listener.stoppedEarly(
          state.step(),
          "%d evaluations in a row were no better than the validation loss %.4f: training ends after step %d of %d"
              .formatted(
                  evaluation.sinceBest(), evaluation.bestLoss(), state.step(), plan.totalSteps()));
    }
  }

  private TrainerState report(TrainerState state, StepReport report) {
    listener.stepTaken(report);
    if (!plan.logsAfter(state.step())) {
      return state;
    }
    if (ranks.count() > 1) {
      listener.compared(speeds.take());
    }
    TrainerState logged = state.afterLogLine();
    listener.logged(report.withMeans(logged.logged().loss(), logged.logged().tokenAccuracy()));
    return logged;
  }

  private TrainerState evaluate(TrainerState state) {
    Optional<Evaluator.Scores> scores = evaluator.evaluate(state.step());
    Optional<Map<GenerationScore, Double>> ofAnswers =
        scores.isPresent() ? answers.measure(ranks) : Optional.empty();
    if (ofAnswers.isEmpty()) {
      stopping = true;
      return state;
    }
    double loss = scores.get().loss();
    double accuracy = scores.get().tokenAccuracy();
    listener.evaluated(
        new EvaluationReport(
            state.step(), plan.epochsAfter(state.step()), loss, accuracy, ofAnswers.get()));
    return state.evaluated(loss, accuracy);
  }

  private TrainerState endEpoch(TrainerState state) {
    EpochResult result =
        new EpochResult(
            plan.epochOf(state.step()),
            state.step(),
            // All of a short epoch may have been left out.
            state.epochSum().tokens() == 0 ? null : state.epochSum().mean(),
            state.evalLossHere(),
            clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    listener.epochEnded(result);
    return state.epochEnded(result);
  }

  /** Whether the state has yet to be saved; the other ranks ask rank 0. */
  private boolean lacks(TrainerState state) {
    return checkpoints.filter(store -> !store.holds(state)).isPresent();
  }

  /** A failed save costs only what the next one makes good, unless there is no next one. */
  private void save(TrainerState state) {
    try {
      write(state);
    } catch (IOException e) {
      if (plan.ends(state)) {
        throw new TrainerException(
            TrainerExit.OUTPUT,
            "the last checkpoint can't be written: %s; make room and run again, training goes on from %s"
                .formatted(e.getMessage(), describeLatest()),
            e);
      }
      listener.warned(
          "the checkpoint of step %d can't be written: %s; training goes on and the next save tries again"
              .formatted(state.step(), e.getMessage()));
    }
  }

  private void saveBeforeStopping(TrainerState state) {
    if (state.step() > 0 && ranks.leaderSays(lacks(state))) {
      try {
        write(state);
      } catch (IOException e) {
        listener.warned(
            "the checkpoint of step %d can't be written: %s; the next attempt goes on from %s"
                .formatted(state.step(), e.getMessage(), describeLatest()));
      }
    }
  }

  private void write(TrainerState state) throws IOException {
    if (checkpoints.isEmpty()) {
      // Rank 0 gathers the optimizer's state, of which each rank holds a part.
      model.optimizer();
      return;
    }
    CheckpointStore store = checkpoints.get();
    Checkpoint saved = store.save(state, plan.epochsAfter(state.step()), model);
    listener.saved(saved, store.summary());
  }

  private String describeLatest() {
    return checkpoints.orElseThrow().describeLatest();
  }

  private static List<TokenizedExample> rowsOf(MicroBatches.Window window) {
    return window.batches().stream().flatMap(batch -> batch.examples().stream()).toList();
  }
}
