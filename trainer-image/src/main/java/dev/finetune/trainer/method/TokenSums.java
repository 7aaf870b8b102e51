package dev.finetune.trainer.method;

/**
 * What a model's predictions of a batch's supervised tokens add up to.
 *
 * @param nll sum of the negative log-likelihoods, in nats
 * @param correct how many tokens are the one that the model finds most likely
 */
public record TokenSums(double nll, long correct) {
  /** The script's two sums. */
  static TokenSums of(double[] sums) {
    return new TokenSums(sums[0], (long) sums[1]);
  }
}
