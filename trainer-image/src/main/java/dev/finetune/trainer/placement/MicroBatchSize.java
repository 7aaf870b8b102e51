package dev.finetune.trainer.placement;

import dev.finetune.api.v1alpha1.TrainingOptions;

/**
 * What decides how much memory a micro-batch takes.
 *
 * @param rows sequences, B
 * @param length tokens of each at most, T
 * @param perWindow micro-batches of an optimizer step: no more can be in flight
 * @param recompute whether only each layer's input is kept (gradient checkpointing)
 * @param dropout whether the adapter's inputs are masked
 * @param bytesPerNumber of the frozen weights and the activations: 4, or 2 for BF16
 */
public record MicroBatchSize(
    int rows, int length, int perWindow, boolean recompute, boolean dropout, int bytesPerNumber) {
  /** That of a recipe. */
  public static MicroBatchSize of(TrainingOptions options, boolean dropout, int bytesPerNumber) {
    return new MicroBatchSize(
        options.batchSize(),
        options.maxLength(),
        options.gradientAccumulationSteps(),
        options.gradientCheckpointing(),
        dropout,
        bytesPerNumber);
  }

  long tokens() {
    return (long) rows * length;
  }

  MicroBatchSize withRows(int fewer) {
    return new MicroBatchSize(fewer, length, perWindow, recompute, dropout, bytesPerNumber);
  }

  /** The same with shorter sequences. */
  public MicroBatchSize withLength(int shorter) {
    return new MicroBatchSize(rows, shorter, perWindow, recompute, dropout, bytesPerNumber);
  }

  MicroBatchSize recomputing() {
    return new MicroBatchSize(rows, length, perWindow, true, dropout, bytesPerNumber);
  }

  MicroBatchSize inBf16() {
    return new MicroBatchSize(rows, length, perWindow, recompute, dropout, 2);
  }
}
