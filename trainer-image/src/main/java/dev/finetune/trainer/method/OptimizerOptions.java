package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainingOptions;

/**
 * Settings of clipping and AdamW.
 *
 * @param beta1 decay of the gradient's mean
 * @param beta2 decay of the squared gradient's mean
 * @param epsilon added to the root of the squared gradient's mean
 * @param weightDecay decoupled decay, times the learning rate
 * @param maxGradNorm largest global norm; 0 turns clipping off
 */
record OptimizerOptions(
    double beta1, double beta2, double epsilon, double weightDecay, double maxGradNorm) {
  static OptimizerOptions of(TrainingOptions training) {
    return new OptimizerOptions(
        training.adamBeta1(),
        training.adamBeta2(),
        training.adamEpsilon(),
        training.weightDecay(),
        training.maxGradNorm());
  }
}
