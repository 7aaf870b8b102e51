package dev.finetune.trainer.model;

import java.util.Set;

/**
 * How the next token is chosen.
 *
 * @param maxNewTokens most tokens to generate, at least 1
 * @param temperature divides the logits; 0 takes the most likely token
 * @param topK draws among the most likely tokens only; 0 among all
 * @param topP draws among the smallest set of likely tokens with this probability, above 0; 1 among
 *     all (arXiv:1904.09751)
 * @param seed of the draws: the same seed gives the same text
 * @param stopIds tokens that end the text; the one that does is the last of it
 */
public record SamplingOptions(
    int maxNewTokens, double temperature, int topK, double topP, long seed, Set<Integer> stopIds) {
  /** Checks the ranges. */
  public SamplingOptions {
    if (maxNewTokens < 1 || temperature < 0 || topK < 0 || topP <= 0 || topP > 1) {
      throw new IllegalArgumentException(
          "maxNewTokens must be at least 1, temperature and topK at least 0, topP in (0, 1]");
    }
    stopIds = Set.copyOf(stopIds);
  }

  /** Always the most likely token. */
  public static SamplingOptions greedy(int maxNewTokens, Set<Integer> stopIds) {
    return new SamplingOptions(maxNewTokens, 0, 0, 1, 0, stopIds);
  }
}
