package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.api.v1alpha1.TrainingResult;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Keeps the cumulative progress of a run. Written by the training thread, read by any. */
public final class ProgressTracker implements RunListener {
  /** A disk that stays full warns at every save; the newest are enough. */
  private static final int KEPT_WARNINGS = 5;

  private static final double NANOS_PER_SECOND = Duration.ofSeconds(1).toNanos();

  private final LongSupplier nanoTime;
  private final List<EpochResult> epochs = new ArrayList<>();
  private final Deque<String> warnings = new ArrayDeque<>();
  private DatasetVerdict dataset;
  private ParameterCounts parameters;
  private Checkpoints checkpoints;
  private TrainingResult result;
  private Position position;
  private StepReport lastStep;
  private RankSpeeds rankSpeeds;
  private Double loss;
  private Double tokenAccuracy;
  private Double evalLoss;
  private Double evalTokenAccuracy;
  private long startNanos;
  private long tokens;
  private int taken;
  private Throughput throughput = Throughput.UNKNOWN;

  /**
   * Starts with nothing known.
   *
   * @param nanoTime a clock for durations, such as {@link System#nanoTime}
   */
  public ProgressTracker(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  @Override
  public synchronized void checked(DatasetVerdict verdict) {
    dataset = verdict;
  }

  @Override
  public synchronized void loaded(ParameterCounts counts) {
    parameters = counts;
  }

  @Override
  public synchronized void started(RunStart start) {
    position = new Position(start.step(), start.epoch(), start.totalSteps(), start.totalEpochs());
    epochs.clear();
    epochs.addAll(start.epochs());
    loss = start.loss();
    tokenAccuracy = start.tokenAccuracy();
    evalLoss = start.evalLoss();
    evalTokenAccuracy = start.evalTokenAccuracy();
    checkpoints = start.checkpoints();
    startNanos = nanoTime.getAsLong();
  }

  @Override
  public synchronized void finished(TrainingResult where) {
    result = where;
  }

  @Override
  public synchronized void stepTaken(StepReport report) {
    lastStep = report;
    tokens += report.tokens();
    taken++;
    position = position.at(report.step(), report.epoch());
    double seconds = (nanoTime.getAsLong() - startNanos) / NANOS_PER_SECOND;
    throughput = Throughput.of(tokens, taken, seconds, position);
  }

  @Override
  public synchronized void compared(RankSpeeds speeds) {
    rankSpeeds = speeds;
  }

  /** How fast each rank computed before the last log line; empty where one trains alone. */
  public synchronized Optional<RankSpeeds> rankSpeeds() {
    return Optional.ofNullable(rankSpeeds);
  }

  @Override
  public synchronized void logged(StepReport report) {
    loss = report.loss();
    tokenAccuracy = report.tokenAccuracy();
  }

  @Override
  public synchronized void evaluated(EvaluationReport report) {
    evalLoss = report.loss();
    evalTokenAccuracy = report.tokenAccuracy();
  }

  @Override
  public synchronized void rolledBack(Rollback rollback) {
    position = position.at(rollback.step(), rollback.epoch());
    epochs.removeIf(epoch -> epoch.step() > rollback.step());
    warned(rollback.sentence());
  }

  @Override
  public synchronized void leftOut(int step, double epoch) {
    position = position.at(step, epoch);
  }

  /** The step that was done last is the last one: nothing is left. */
  @Override
  public synchronized void stoppedEarly(int step, String why) {
    position = position.endingAt(step);
    throughput = throughput.atTheEnd();
  }

  @Override
  public synchronized void epochEnded(EpochResult ended) {
    epochs.add(
        new EpochResult(
            ended.epoch(),
            ended.step(),
            Rounding.decimals(ended.loss(), 4),
            Rounding.decimals(ended.evalLoss(), 4),
            ended.completionTime()));
  }

  @Override
  public synchronized void saved(Checkpoint checkpoint, Checkpoints all) {
    checkpoints = all;
  }

  @Override
  public synchronized void warned(String message) {
    warnings.addLast(message);
    if (warnings.size() > KEPT_WARNINGS) {
      warnings.removeFirst();
    }
  }

  /** What is known now, with numbers rounded for reading. */
  public synchronized Progress progress() {
    return new Progress(
        training(),
        position == null ? null : List.copyOf(epochs),
        checkpoints == null || checkpoints.latest() == null ? null : rounded(checkpoints),
        dataset,
        parameters,
        result,
        warnings.isEmpty() ? null : List.copyOf(warnings));
  }

  private TrainingProgress training() {
    if (position == null) {
      return null;
    }
    return new TrainingProgress(
        Rounding.decimals(position.epoch(), 2),
        position.totalEpochs(),
        Rounding.epochText(position.epoch(), position.totalEpochs()),
        position.step(),
        position.totalSteps(),
        Rounding.decimals(loss, 4),
        Rounding.decimals(evalLoss, 4),
        lastStep == null ? null : Rounding.digits(lastStep.learningRate(), 3),
        lastStep == null ? null : Rounding.digits(lastStep.gradientNorm(), 4),
        throughput.tokensPerSecond(),
        position.percentage(),
        throughput.remainingSeconds(),
        rankSpeeds == null ? null : rankSpeeds.progress(),
        Rounding.decimals(tokenAccuracy, 4),
        evalLoss == null ? null : Rounding.digits(Math.exp(evalLoss), 4),
        Rounding.decimals(evalTokenAccuracy, 4));
  }

  private static Checkpoints rounded(Checkpoints all) {
    return new Checkpoints(rounded(all.latest()), rounded(all.best()), rounded(all.resumedFrom()));
  }

  private static Checkpoint rounded(Checkpoint checkpoint) {
    return checkpoint == null
        ? null
        : new Checkpoint(
            checkpoint.step(),
            Rounding.decimals(checkpoint.epoch(), 2),
            checkpoint.location(),
            checkpoint.sizeBytes(),
            checkpoint.sha256(),
            Rounding.decimals(checkpoint.evalLoss(), 4));
  }

  /** Where training stands. */
  private record Position(int step, double epoch, int totalSteps, int totalEpochs) {
    Position at(int newStep, double newEpoch) {
      return new Position(newStep, newEpoch, totalSteps, totalEpochs);
    }

    Position endingAt(int lastStep) {
      return new Position(lastStep, epoch, lastStep, totalEpochs);
    }

    /** Never 100 before the last step is done. */
    int percentage() {
      return (int) (100L * step / totalSteps);
    }
  }

  /**
   * The speed of this attempt so far, evaluations and checkpoints included.
   *
   * @param tokensPerSecond tokens trained on, padding not counted
   * @param remainingSeconds until the last step, at this speed
   */
  private record Throughput(Double tokensPerSecond, Long remainingSeconds) {
    static final Throughput UNKNOWN = new Throughput(null, null);

    static Throughput of(long tokens, int steps, double seconds, Position position) {
      if (seconds <= 0) {
        return UNKNOWN;
      }
      double perStep = seconds / steps;
      return new Throughput(
          Rounding.digits(tokens / seconds, 4),
          Math.round(perStep * (position.totalSteps() - position.step())));
    }

    Throughput atTheEnd() {
      return new Throughput(tokensPerSecond, remainingSeconds == null ? null : 0L);
    }
  }
}
