package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.TrainingOptions;

/**
 * Which step does what: a recipe's training options laid over the data's windows. Where a step is
 * given, it is the number of steps done, from 1.
 */
public final class TrainingPlan {
  private final TrainingOptions options;
  private final int windowsPerEpoch;
  private final boolean validates;
  private final int totalSteps;
  private final LearningRateSchedule schedule;

  /**
   * @param options the recipe's training options, defaults applied
   * @param windowsPerEpoch optimizer steps in one pass over the data
   * @param validates whether there are held-out rows
   */
  public TrainingPlan(TrainingOptions options, int windowsPerEpoch, boolean validates) {
    this.options = options;
    this.windowsPerEpoch = windowsPerEpoch;
    this.validates = validates;
    long allEpochs = (long) options.epochs() * windowsPerEpoch;
    long limit = options.maxSteps() == null ? Integer.MAX_VALUE : options.maxSteps();
    this.totalSteps = (int) Math.min(allEpochs, limit);
    this.schedule =
        new LearningRateSchedule(
            options.schedule(), options.learningRate(), warmupSteps(), totalSteps);
  }

  private int warmupSteps() {
    return options.warmupSteps() != null
        ? options.warmupSteps()
        : (int) Math.ceil(options.warmupRatio() * totalSteps);
  }

  /** Optimizer steps of the run: all epochs, or maxSteps where that is less. */
  public int totalSteps() {
    return totalSteps;
  }

  /** Passes that the recipe asks for. */
  public int totalEpochs() {
    return options.epochs();
  }

  /** Passes over the data after so many steps, with the fraction of the running one. */
  public double epochsAfter(int step) {
    return (double) step / windowsPerEpoch;
  }

  int epochOf(int stepsBefore) {
    return stepsBefore / windowsPerEpoch;
  }

  int windowOf(int stepsBefore) {
    return stepsBefore % windowsPerEpoch;
  }

  double learningRate(int stepsBefore) {
    return schedule.at(stepsBefore);
  }

  boolean logsAfter(int step) {
    return step == 1 || step % options.loggingSteps() == 0 || step == totalSteps;
  }

  boolean endsEpochAfter(int step) {
    return step > 0 && step % windowsPerEpoch == 0;
  }

  boolean savesAfter(int step) {
    return step > 0
        && (step % options.saveSteps() == 0 || endsEpochAfter(step) || step == totalSteps);
  }

  /** Every save is preceded by an evaluation, so that the best checkpoint is a real comparison. */
  boolean evaluatesAfter(int step) {
    return validates
        && step > 0
        && (savesAfter(step) || (options.evalSteps() != null && step % options.evalSteps() == 0));
  }

  /**
   * The seed of a micro-batch's dropout, the same however often the run was interrupted. Mixed with
   * SplitMix64's finaliser (Steele, Lea, Flood 2014), so that neighbours share nothing.
   */
  long dropoutSeed(int stepsBefore, int microBatch) {
    long seed = mix(options.seed());
    seed = mix(seed ^ stepsBefore);
    return mix(seed ^ microBatch) >>> 1;
  }

  private static long mix(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
