package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.checkpoint.CheckpointStore;
import dev.finetune.trainer.checkpoint.TrainerState;
import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.MicroBatches;
import dev.finetune.trainer.data.TokenizedExample;
import dev.finetune.trainer.method.TrainableModel;
import dev.finetune.trainer.report.RunListener;
import dev.finetune.trainer.report.StepReport;
import java.io.IOException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Trains a model from a state to the plan's last step.
 *
 * <p>A step's loss is the sum of the negative log-likelihoods over all supervised tokens of its
 * window, divided by their number; how the window is cut into micro-batches makes no difference.
 */
public final class TrainingLoop {
  private final TrainingPlan plan;
  private final TrainingData data;
  private final TrainableModel model;
  private final CheckpointStore checkpoints;
  private final RunListener listener;
  private final StopSignal stop;
  private final Evaluator evaluator;
  private final Clock clock;

  /**
   * @param plan which step does what
   * @param data the rows in their order
   * @param model what is trained; set to the state that the run goes on from
   * @param checkpoints where checkpoints go
   * @param listener hears what happens
   * @param stop ends the run early, with a checkpoint
   * @param clock dates the ends of epochs
   */
  public TrainingLoop(
      TrainingPlan plan,
      TrainingData data,
      TrainableModel model,
      CheckpointStore checkpoints,
      RunListener listener,
      StopSignal stop,
      Clock clock) {
    this.plan = plan;
    this.data = data;
    this.model = model;
    this.checkpoints = checkpoints;
    this.listener = listener;
    this.stop = stop;
    this.evaluator = new Evaluator(model, data.validation(), stop);
    this.clock = clock;
  }

  /**
   * Trains until the last step is done and saved, or until the run is asked to stop; then the last
   * complete step is saved and the open window is forgotten.
   *
   * @param start where to go on from
   * @return where training ended, and whether that is the plan's end
   * @throws TrainerException if a number becomes NaN or infinite, or the last checkpoint can't be
   *     written
   */
  public LoopEnd run(TrainerState start) {
    TrainerState state = start;
    while (true) {
      // First what is due after the last step: a stopped attempt may have left it undone.
      int step = state.step();
      if (plan.evaluatesAfter(step) && state.evaluatedStep() < step) {
        state = evaluate(state);
      }
      if (stop.requested()) {
        saveBeforeStopping(state);
        return new LoopEnd(state, false);
      }
      if (plan.endsEpochAfter(step) && state.epochs().size() < plan.epochOf(step)) {
        state = endEpoch(state);
      }
      if (plan.savesAfter(step) && !checkpoints.holds(state)) {
        save(state);
      }
      if (step == plan.totalSteps()) {
        return new LoopEnd(state, true);
      }

      MicroBatches.Window window = data.training().window(plan.epochOf(step), plan.windowOf(step));
      double nll = 0;
      for (int micro = 0; micro < window.batches().size() && !stop.requested(); micro++) {
        Batch batch = window.batches().get(micro);
        double sum =
            model.accumulate(batch, window.supervisedTokens(), plan.dropoutSeed(step, micro));
        NonFinite.refuse("loss", sum, step + 1, batch.examples());
        nll += sum;
      }
      if (stop.requested()) {
        continue;
      }

      double learningRate = plan.learningRate(step);
      double gradientNorm = model.step(learningRate);
      NonFinite.refuse("gradient norm", gradientNorm, step + 1, rowsOf(window));
      state = state.stepped(nll, window.supervisedTokens());

      StepReport report =
          new StepReport(
              state.step(),
              plan.epochsAfter(state.step()),
              nll / window.supervisedTokens(),
              gradientNorm,
              learningRate,
              tokensOf(window));
      listener.stepTaken(report);
      if (plan.logsAfter(state.step())) {
        listener.logged(report.withLoss(state.unloggedLoss().mean()));
        state = state.logged();
      }
    }
  }

  private TrainerState evaluate(TrainerState state) {
    OptionalDouble loss = evaluator.loss(state.step());
    if (loss.isEmpty()) {
      return state;
    }
    listener.evaluated(state.step(), plan.epochsAfter(state.step()), loss.getAsDouble());
    return state.evaluated(loss.getAsDouble());
  }

  private TrainerState endEpoch(TrainerState state) {
    EpochResult result =
        new EpochResult(
            plan.epochOf(state.step()),
            state.step(),
            state.epochLoss().mean(),
            state.evalLossHere(),
            clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    listener.epochEnded(result);
    return state.epochEnded(result);
  }

  /** A failed save costs only what the next one makes good, unless there is no next one. */
  private void save(TrainerState state) {
    try {
      write(state);
    } catch (IOException e) {
      if (state.step() == plan.totalSteps()) {
        throw new TrainerException(
            TrainerExit.OUTPUT,
            "the last checkpoint can't be written: %s; make room and run again, training goes on from %s"
                .formatted(e.getMessage(), checkpoints.describeLatest()),
            e);
      }
      listener.warned(
          "the checkpoint of step %d can't be written: %s; training goes on and the next save tries again"
              .formatted(state.step(), e.getMessage()));
    }
  }

  private void saveBeforeStopping(TrainerState state) {
    if (state.step() > 0 && !checkpoints.holds(state)) {
      try {
        write(state);
      } catch (IOException e) {
        listener.warned(
            "the checkpoint of step %d can't be written: %s; the next attempt goes on from %s"
                .formatted(state.step(), e.getMessage(), checkpoints.describeLatest()));
      }
    }
  }

  private void write(TrainerState state) throws IOException {
    Checkpoint saved = checkpoints.save(state, plan.epochsAfter(state.step()), model);
    listener.saved(saved, checkpoints.summary());
  }

  private static long tokensOf(MicroBatches.Window window) {
    return window.batches().stream().mapToLong(Batch::tokens).sum();
  }

  private static List<TokenizedExample> rowsOf(MicroBatches.Window window) {
    return window.batches().stream().flatMap(batch -> batch.examples().stream()).toList();
  }
}
