package dev.finetune.trainer.export;

import dev.finetune.trainer.safetensors.HostTensor;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Locale;

/**
 * How far a merged model's logits are from those of base and adapter on the same prompts, both in
 * float32.
 *
 * @param prompts how many prompts
 * @param tokens how many positions in them
 * @param largestDifference the largest difference of two logits, and NaN if one is
 * @param largestLogit the largest absolute logit of base and adapter, to compare it with
 * @param sameToken at how many positions both find the same token most likely
 */
record MergeCertificate(
    int prompts, long tokens, double largestDifference, double largestLogit, long sameToken) {

  /**
   * Compares.
   *
   * @param expected of base and adapter, (1, T, V) for each prompt
   * @param actual of the merged model
   */
  static MergeCertificate of(List<HostTensor> expected, List<HostTensor> actual) {
    long tokens = 0;
    double difference = 0;
    double largest = 0;
    long same = 0;
    for (int prompt = 0; prompt < expected.size(); prompt++) {
      FloatBuffer here = expected.get(prompt).floats();
      FloatBuffer there = actual.get(prompt).floats();
      int vocabulary = (int) expected.get(prompt).shape()[2];
      for (int start = 0; start < here.limit(); start += vocabulary) {
        for (int i = start; i < start + vocabulary; i++) {
          difference = Math.max(difference, Math.abs(here.get(i) - there.get(i)));
          largest = Math.max(largest, Math.abs(here.get(i)));
        }
        same += likeliest(here, start, vocabulary) == likeliest(there, start, vocabulary) ? 1 : 0;
        tokens++;
      }
    }
    return new MergeCertificate(expected.size(), tokens, difference, largest, same);
  }

  private static int likeliest(FloatBuffer logits, int start, int vocabulary) {
    int best = 0;
    for (int i = 1; i < vocabulary; i++) {
      if (logits.get(start + i) > logits.get(start + best)) {
        best = i;
      }
    }
    return best;
  }

  /** All of it in a sentence. */
  String sentence() {
    return String.format(
        Locale.ROOT,
        "on %d prompts of %d tokens the merged model's logits differ from those of base and adapter by"
            + " at most %.2g (the largest logit is %.4g), and the most likely token is the same at %d"
            + " of %d positions",
        prompts,
        tokens,
        largestDifference,
        largestLogit,
        sameToken,
        tokens);
  }
}
