package dev.finetune.trainer.placement;

import dev.finetune.api.v1alpha1.TrainingOptions;

/**
 * What decides how much memory a micro-batch takes.
 *
 * @param rows sequences, B
 * @param length tokens of each at most, T
 * @param perWindow micro-batches of an optimizer step: no more can be in flight
 * @param recompute whether only each layer's input is kept (gradient checkpointing)
 * @param bytesPerNumber of the frozen weights and the activations: 4, or 2 for BF16
 */
public record MicroBatchSize(
    int rows, int length, int perWindow, boolean recompute, int bytesPerNumber) {
  /** That of a recipe. */
  public static MicroBatchSize of(TrainingOptions options, int bytesPerNumber) {
    return new MicroBatchSize(
        options.batchSize(),
        options.maxLength(),
        options.gradientAccumulationSteps(),
        options.gradientCheckpointing(),
        bytesPerNumber);
  }

  long tokens() {
    return (long) rows * length;
  }

  MicroBatchSize withRows(int fewer) {
    return new MicroBatchSize(fewer, length, perWindow, recompute, bytesPerNumber);
  }

  /** The same with shorter sequences. */
  public MicroBatchSize withLength(int shorter) {
    return new MicroBatchSize(rows, shorter, perWindow, recompute, bytesPerNumber);
  }

  MicroBatchSize recomputing() {
    return new MicroBatchSize(rows, length, perWindow, true, bytesPerNumber);
  }

  MicroBatchSize inBf16() {
    return new MicroBatchSize(rows, length, perWindow, recompute, 2);
  }
}
