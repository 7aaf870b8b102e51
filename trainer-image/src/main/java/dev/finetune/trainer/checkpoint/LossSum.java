package dev.finetune.trainer.checkpoint;

/**
 * Running means over tokens, kept as their parts so that they can be gone on with.
 *
 * @param nll sum of the negative log-likelihoods, in nats
 * @param tokens supervised tokens
 * @param correct how many of them the model found most likely
 */
public record LossSum(double nll, long tokens, long correct) {
  /** Nothing yet. */
  public static final LossSum ZERO = new LossSum(0, 0, 0);

  /** This sum with more tokens in it. */
  public LossSum plus(LossSum more) {
    return new LossSum(nll + more.nll, tokens + more.tokens, correct + more.correct);
  }

  /** Mean negative log-likelihood of a token. */
  public double mean() {
    return nll / tokens;
  }

  /** Share of the tokens that the model found most likely. */
  public double accuracy() {
    return (double) correct / tokens;
  }
}
