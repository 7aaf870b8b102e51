package dev.finetune.operator.observe;

import dev.finetune.operator.observe.ProgressSource.Answer;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/** The questions to one pod's trainer, of which one at a time is under way. */
final class Poll {
  /** An unreachable trainer is asked at least once in so many intervals. */
  private static final int LONGEST_BACKOFF = 16;

  private final String podUid;
  private boolean asking;
  private Instant due = Instant.MIN;
  private Instant taken = Instant.MAX;
  private int backoff = 1;
  private Answer answer = Answer.UNREACHABLE;

  Poll(String podUid) {
    this.podUid = podUid;
  }

  boolean isOf(String uid) {
    return Objects.equals(podUid, uid);
  }

  /** Whether a question is due; if so it counts as under way until {@link #end}. */
  synchronized boolean begin(Instant now) {
    taken = now;
    if (asking || due.isAfter(now)) {
      return false;
    }
    asking = true;
    return true;
  }

  /**
   * Notes the answer.
   *
   * @param interval until the next question, for a trainer that can be reached
   */
  synchronized void end(Answer latest, Instant now, Duration interval) {
    asking = false;
    answer = latest;
    // A tenth of slack: the pass that asks again comes by a timer of the interval, and may be
    // early.
    due = now.plus(interval.multipliedBy(backoff).multipliedBy(9).dividedBy(10));
    backoff = latest.reached() ? 1 : Math.min(LONGEST_BACKOFF, backoff * 2);
  }

  /** The answer, once. */
  synchronized Answer take() {
    Answer latest = answer;
    answer = Answer.UNREACHABLE;
    return latest;
  }

  synchronized boolean takenBefore(Instant time) {
    return taken.isBefore(time);
  }
}
