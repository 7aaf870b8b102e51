package dev.finetune.operator.reconcile;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.RetryPolicy;
import dev.finetune.operator.status.AttemptHistory;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * When the next attempt starts. The delay doubles with each failure; interruptions, which are not
 * counted as failures, double it for as long as they follow each other, so that a cluster in
 * trouble isn't asked for pods without end.
 */
final class Backoff {
  private static final long LONGEST_SECONDS = 300;

  private static final Duration FIRST_REFUSED = Duration.ofSeconds(1);
  private static final Duration LONGEST_REFUSED = Duration.ofMinutes(1);

  /** 2^9 times a second is beyond the longest delay. */
  private static final int MOST_DOUBLINGS = 9;

  private Backoff() {}

  /**
   * The moment from which the next attempt may start.
   *
   * @param attempts those so far, at least one, the last of them ended
   * @param failures how many failed in all, also such as are no longer in {@code attempts}
   */
  static Instant end(RetryPolicy retry, List<Attempt> attempts, int failures) {
    Attempt last = attempts.get(attempts.size() - 1);
    Instant ended = Instant.parse(last.endTime());
    if (last.reason() == ConditionReason.SuspendRequested) {
      return ended;
    }
    int endings =
        last.outcome() == AttemptOutcome.Failed ? failures : trailingInterruptions(attempts);
    return ended.plus(delay(retry, endings));
  }

  /**
   * How long to wait before asking again for a child that the API server refused: as long as it has
   * been asked already, which doubles with each try and needs no memory.
   */
  static Duration refused(FineTuneJob job, Instant now) {
    String since =
        AttemptHistory.last(AttemptHistory.of(job.getStatus()))
            .map(Attempt::endTime)
            .orElse(job.getMetadata().getCreationTimestamp());
    Duration asked = since == null ? Duration.ZERO : Duration.between(Instant.parse(since), now);
    if (asked.compareTo(FIRST_REFUSED) < 0) {
      return FIRST_REFUSED;
    }
    return asked.compareTo(LONGEST_REFUSED) > 0 ? LONGEST_REFUSED : asked;
  }

  private static Duration delay(RetryPolicy retry, int endings) {
    long base = retry == null || retry.backoffSeconds() == null ? 0 : retry.backoffSeconds();
    long doubled = base << Math.min(MOST_DOUBLINGS, Math.max(0, endings - 1));
    // A first delay beyond the longest is the user's word; it only doesn't grow.
    return Duration.ofSeconds(Math.max(base, Math.min(doubled, LONGEST_SECONDS)));
  }

  private static int trailingInterruptions(List<Attempt> attempts) {
    int count = 0;
    for (int i = attempts.size() - 1; i >= 0; i--) {
      Attempt attempt = attempts.get(i);
      boolean interrupted =
          attempt.outcome() == AttemptOutcome.Interrupted
              && attempt.reason() != ConditionReason.SuspendRequested;
      if (!interrupted) {
        break;
      }
      count++;
    }
    return count;
  }
}
