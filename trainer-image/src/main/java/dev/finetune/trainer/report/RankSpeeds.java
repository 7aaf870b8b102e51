package dev.finetune.trainer.report;

import dev.finetune.api.v1alpha1.RankProgress;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How fast the ranks computed from one log line to the next.
 *
 * @param seconds for how long each computed, waiting for others not counted
 * @param tokensPerSecond of each while it computed, padding not counted
 * @param hosts the pod or host of each
 */
public record RankSpeeds(double[] seconds, double[] tokensPerSecond, List<String> hosts) {
  public RankSpeeds {
    hosts = List.copyOf(hosts);
  }

  /** The rank that computed longest, for which the others waited; the first of equals. */
  int slowest() {
    return IntStream.range(0, seconds.length)
        .reduce((a, b) -> seconds[b] > seconds[a] ? b : a)
        .orElseThrow();
  }

  /** What the job's status tells of them. */
  RankProgress progress() {
    double[] sorted = tokensPerSecond.clone();
    Arrays.sort(sorted);
    int slowest = slowest();
    return new RankProgress(
        seconds.length,
        Rounding.digits(sorted[sorted.length / 2], 4),
        slowest,
        hosts.get(slowest),
        Rounding.digits(tokensPerSecond[slowest], 4));
  }
}
