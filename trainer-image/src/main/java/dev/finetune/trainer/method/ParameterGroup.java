package dev.finetune.trainer.method;

/**
 * How the optimizer treats some of the tensors.
 *
 * @param rateFactor times the learning rate
 * @param decays whether the weight decay applies
 */
record ParameterGroup(double rateFactor, boolean decays) {
  /** Matrices. */
  static final ParameterGroup MATRICES = new ParameterGroup(1, true);

  /** Biases, norms and scaling vectors, which a decay would pull away from what they mean. */
  static final ParameterGroup VECTORS = new ParameterGroup(1, false);
}
