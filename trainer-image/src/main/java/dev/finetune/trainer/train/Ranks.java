package dev.finetune.trainer.train;

import dev.finetune.trainer.distributed.ProcessGroup;
import dev.finetune.trainer.method.TokenSums;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * What the ranks of a run agree on. All of them make the same decisions from the same numbers, so
 * that none waits in a collective that another doesn't call.
 */
public final class Ranks {
  private static final String STOP = "stop";
  private static final String HOST = "host/";

  private final ProcessGroup group;
  private final StopSignal stop;
  private final List<String> hosts;
  private boolean stopAnnounced;

  /**
   * Meets the other ranks.
   *
   * @param group the processes
   * @param stop asks this rank to stop
   * @param host the pod or host that this rank runs in
   */
  public Ranks(ProcessGroup group, StopSignal stop, String host) {
    this.group = group;
    this.stop = stop;
    group.put(HOST + rank(), host.getBytes(StandardCharsets.UTF_8));
    group.barrier();
    this.hosts =
        IntStream.range(0, count())
            .mapToObj(
                rank -> new String(group.get(HOST + rank).orElseThrow(), StandardCharsets.UTF_8))
            .toList();
  }

  /** The pod or host of each rank. */
  List<String> hosts() {
    return hosts;
  }

  int rank() {
    return group.rank();
  }

  int count() {
    return group.size();
  }

  /** Whether a rank was asked to stop. The others hear of it before their next micro-batch. */
  boolean stopRequested() {
    if (stop.requested() && !stopAnnounced) {
      group.put(STOP, new byte[0]);
      stopAnnounced = true;
    }
    return stopAnnounced || group.get(STOP).isPresent();
  }

  /** What rank 0 says: only it knows what is on the disk. */
  boolean leaderSays(boolean answer) {
    double[] votes = {rank() == 0 && answer ? 1 : 0};
    group.sum(votes);
    return votes[0] > 0;
  }

  /** Replaces the values by their sums over all ranks. */
  void sum(double[] values) {
    group.sum(values);
  }

  /**
   * What rank 0 knows, on every rank.
   *
   * @param key a name that is used once in a run
   * @param known asked on rank 0 only
   */
  byte[] fromLeader(String key, Supplier<byte[]> known) {
    if (rank() == 0) {
      group.put(key, known.get());
    }
    group.barrier();
    return group.get(key).orElseThrow();
  }

  /**
   * What the ranks have to say, in their order.
   *
   * @param key a name that is used once in a run
   * @param own what this rank says; empty for nothing
   */
  List<String> allSay(String key, Optional<String> own) {
    own.ifPresent(text -> group.put(key + rank(), text.getBytes(StandardCharsets.UTF_8)));
    group.barrier();
    return IntStream.range(0, count())
        .mapToObj(rank -> group.get(key + rank))
        .flatMap(Optional::stream)
        .map(text -> new String(text, StandardCharsets.UTF_8))
        .toList();
  }

  /**
   * Sums what the ranks measured in a window or an evaluation.
   *
   * @param complete whether this rank did all of its part; one that was asked to stop didn't
   * @param tokenSums what its predictions add up to
   * @param tokens tokens that this rank trained on
   * @param nanos for how long it computed
   */
  Sums sum(boolean complete, TokenSums tokenSums, long tokens, long nanos) {
    double[] values = new double[Sums.COMMON + 2 * count()];
    values[0] = complete ? 0 : 1;
    values[1] = tokenSums.nll();
    values[2] = tokenSums.correct();
    values[Sums.COMMON + 2 * rank()] = tokens;
    values[Sums.COMMON + 1 + 2 * rank()] = nanos;
    group.sum(values);
    return new Sums(values);
  }

  /**
   * Sums over all ranks.
   *
   * @param values the number of incomplete ranks, their negative log-likelihoods, their correct
   *     predictions, and two numbers for each rank
   */
  record Sums(double[] values) {
    /** How many numbers stand before those of each rank. */
    private static final int COMMON = 3;

    boolean complete() {
      return values[0] == 0;
    }

    double nll() {
      return values[1];
    }

    long correct() {
      return (long) values[2];
    }

    long tokens(int rank) {
      return (long) values[COMMON + 2 * rank];
    }

    long nanos(int rank) {
      return (long) values[COMMON + 1 + 2 * rank];
    }
  }
}
