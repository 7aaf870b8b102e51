package dev.finetune.trainer.checkpoint;

/**
 * A running mean over tokens, kept as its parts so that it can be gone on with.
 *
 * @param nll sum of the negative log-likelihoods, in nats
 * @param tokens supervised tokens
 */
public record LossSum(double nll, long tokens) {
  /** Nothing yet. */
  public static final LossSum ZERO = new LossSum(0, 0);

  /** This sum with more tokens in it. */
  public LossSum plus(double moreNll, long moreTokens) {
    return new LossSum(nll + moreNll, tokens + moreTokens);
  }

  /** Mean negative log-likelihood of a token. */
  public double mean() {
    return nll / tokens;
  }
}
