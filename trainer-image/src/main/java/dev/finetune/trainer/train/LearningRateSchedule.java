package dev.finetune.trainer.train;

import dev.finetune.api.v1alpha1.Schedule;

/**
 * The learning rate of each optimizer step: a linear rise from 0 over the warm-up, then the shape
 * of {@link Schedule}. The formulas are those of transformers' optimization module, so that step 0
 * of a warm-up has a rate of 0.
 */
public final class LearningRateSchedule {
  private final Schedule shape;
  private final double peak;
  private final int warmupSteps;
  private final int totalSteps;

  /**
   * Lays a schedule over a run.
   *
   * @param shape how the rate falls after the warm-up
   * @param peak the rate at the end of the warm-up
   * @param warmupSteps steps in which the rate rises
   * @param totalSteps optimizer steps of the run
   */
  public LearningRateSchedule(Schedule shape, double peak, int warmupSteps, int totalSteps) {
    this.shape = shape;
    this.peak = peak;
    this.warmupSteps = warmupSteps;
    this.totalSteps = totalSteps;
  }

  /**
   * The rate of one step.
   *
   * @param step the step's number, from 0
   */
  public double at(int step) {
    if (step < warmupSteps) {
      return peak * step / Math.max(1, warmupSteps);
    }
    double progress = (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
    double factor =
        switch (shape) {
          case CONSTANT -> 1;
          case LINEAR -> 1 - progress;
          case COSINE -> 0.5 * (1 + Math.cos(Math.PI * progress));
        };
    return peak * Math.max(0, factor);
  }
}
