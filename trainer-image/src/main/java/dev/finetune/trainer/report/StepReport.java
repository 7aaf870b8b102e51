package dev.finetune.trainer.report;

/**
 * One optimizer step.
 *
 * @param step number of the step, from 1
 * @param epoch passes over the data so far, with the fraction of the running one
 * @param loss mean negative log-likelihood of a supervised token, in nats
 * @param tokenAccuracy share of the supervised tokens that the model found most likely, 0 to 1
 * @param gradientNorm global L2 norm of the gradient before clipping
 * @param learningRate the rate that the step was taken with
 * @param tokens tokens of all its sequences, padding not counted
 */
public record StepReport(
    int step,
    double epoch,
    double loss,
    double tokenAccuracy,
    double gradientNorm,
    double learningRate,
    long tokens) {

  /** The same step with the means over all steps since the last log line. */
  public StepReport withMeans(double meanLoss, double meanAccuracy) {
    return new StepReport(step, epoch, meanLoss, meanAccuracy, gradientNorm, learningRate, tokens);
  }
}
