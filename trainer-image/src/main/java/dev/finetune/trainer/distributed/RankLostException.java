package dev.finetune.trainer.distributed;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A rank is gone or silent: what this rank computes alone is of no use, and the training has to be
 * started again from its last checkpoint. The message is a sentence for the user.
 */
public final class RankLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** How it was noticed. */
  public enum Kind {
    /** A connection was closed: the process has ended, or its node is gone. */
    CLOSED,
    /** A rank took no part in time: it hangs, or the network does. */
    TIMEOUT
  }

  private final Kind kind;
  private final transient List<Integer> ranks;

  RankLostException(Kind kind, List<Integer> ranks, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.ranks = List.copyOf(ranks);
  }

  /** How it was noticed. */
  public Kind kind() {
    return kind;
  }

  /** The lost ranks, ascending; empty where that couldn't be found out. */
  public List<Integer> ranks() {
    return ranks;
  }

  /** "Rank 2", "Ranks 1, 2 and 5". */
  static String named(Iterable<Integer> ranks) {
    TreeSet<Integer> sorted = new TreeSet<>();
    ranks.forEach(sorted::add);
    if (sorted.size() == 1) {
      return "Rank " + sorted.first();
    }
    return "Ranks "
        + sorted.headSet(sorted.last()).stream()
            .map(String::valueOf)
            .collect(Collectors.joining(", "))
        + " and "
        + sorted.last();
  }
}
