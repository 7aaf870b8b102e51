package dev.finetune.trainer.distributed;

import dev.finetune.trainer.distributed.RankLostException.Kind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Finds out which ranks are lost after a collective has failed: each rank that has noticed says so
 * in the store, and who stays silent is lost. The engine's own message names addresses at most.
 */
final class RankCensus {
  private static final Duration PAUSE = Duration.ofMillis(20);

  private final C10dStore store;
  private final Rendezvous rendezvous;
  private final Duration patience;

  /** Ranks that haven't said that they are alive. */
  private final Set<Integer> silent;

  private Kind kind;

  private RankCensus(C10dStore store, Rendezvous rendezvous, Duration patience, Kind kind) {
    this.store = store;
    this.rendezvous = rendezvous;
    this.patience = patience;
    this.kind = kind;
    silent =
        IntStream.range(0, rendezvous.size())
            .filter(rank -> rank != rendezvous.rank())
            .boxed()
            .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Asks the other ranks.
   *
   * @param patience how long they are waited for
   * @param failure what made the collective fail
   * @return to be thrown
   */
  static RankLostException take(
      C10dStore store, Rendezvous rendezvous, Duration patience, C10dException failure) {
    RankCensus census =
        new RankCensus(
            store, rendezvous, patience, failure.isTimeout() ? Kind.TIMEOUT : Kind.CLOSED);
    try {
      census.ask();
    } catch (C10dStore.LostException e) {
      // A rank 0 that has answered before it ended has told all that it knew.
      if (census.silent.contains(0)) {
        return census.lost(List.of(0), e.getMessage(), failure);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return census.result(failure);
  }

  private void ask() throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    store.put(key(rendezvous.rank()), kind.name().getBytes(StandardCharsets.UTF_8), patience);
    while (!silent.isEmpty() && System.nanoTime() - deadline < 0) {
      silent.removeIf(this::answers);
      Thread.sleep(PAUSE.toMillis());
    }
  }

  private boolean answers(int rank) {
    byte[] seen = store.get(key(rank), patience).orElse(null);
    if (seen == null) {
      return false;
    }
    // The first one to give up waiting closes its connections, which is all that the others see.
    if (Kind.valueOf(new String(seen, StandardCharsets.UTF_8)) == Kind.TIMEOUT) {
      kind = Kind.TIMEOUT;
    }
    return true;
  }

  private RankLostException result(C10dException failure) {
    if (silent.isEmpty()) {
      return new RankLostException(
          kind,
          List.of(),
          "The ranks lost each other, though all %d are there: %s. Look at the network between them."
              .formatted(rendezvous.size(), firstLine(failure)),
          failure);
    }
    return lost(
        List.copyOf(silent),
        kind == Kind.TIMEOUT
            ? "no part taken for " + Rendezvous.inWords(rendezvous.timeout())
            : "the connection was closed, as when a process ends or its node is gone",
        failure);
  }

  private RankLostException lost(List<Integer> ranks, String how, C10dException failure) {
    return new RankLostException(
        kind,
        ranks,
        "%s of %d %s lost: %s (%s)."
            .formatted(
                RankLostException.named(ranks),
                rendezvous.size(),
                ranks.size() == 1 ? "is" : "are",
                how,
                firstLine(failure)),
        failure);
  }

  /** Without the place in Gloo's source, which tells a user nothing. */
  private static String firstLine(C10dException failure) {
    String line = failure.getMessage().lines().findFirst().orElse("").strip();
    return line.replaceFirst("^\\[\\S+] ", "");
  }

  private static String key(int rank) {
    return "alive/" + rank;
  }
}
