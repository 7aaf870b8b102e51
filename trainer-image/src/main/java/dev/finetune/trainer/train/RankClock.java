package dev.finetune.trainer.train;

import dev.finetune.trainer.report.RankSpeeds;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Sums up how fast each rank computes, from one log line to the next. */
final class RankClock {
  private static final double NANOS_PER_SECOND = 1e9;

  private final List<String> hosts;
  private final long[] tokens;
  private final long[] nanos;

  /**
   * @param hosts the pod or host of each rank
   */
  RankClock(List<String> hosts) {
    this.hosts = List.copyOf(hosts);
    tokens = new long[hosts.size()];
    nanos = new long[hosts.size()];
  }

  void add(Ranks.Sums step) {
    for (int rank = 0; rank < tokens.length; rank++) {
      tokens[rank] += step.tokens(rank);
      nanos[rank] += step.nanos(rank);
    }
  }

  /** The speeds since the last call. */
  RankSpeeds take() {
    double[] seconds = Arrays.stream(nanos).mapToDouble(each -> each / NANOS_PER_SECOND).toArray();
    double[] speeds =
        IntStream.range(0, tokens.length)
            .mapToDouble(rank -> seconds[rank] > 0 ? tokens[rank] / seconds[rank] : 0)
            .toArray();
    Arrays.fill(tokens, 0);
    Arrays.fill(nanos, 0);
    return new RankSpeeds(seconds, speeds, hosts);
  }
}
