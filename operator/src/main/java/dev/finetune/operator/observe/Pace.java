package dev.finetune.operator.observe;

import java.time.Duration;
import java.time.Instant;

/** Spaces what happens out, so that it happens at most so many times a second. */
final class Pace {
  private final Duration gap;
  private Instant next = Instant.MIN;

  Pace(double perSecond) {
    this.gap = Duration.ofNanos((long) (1e9 / perSecond));
  }

  /** Takes the next free moment; returns how long it is until then. */
  synchronized Duration reserve(Instant now) {
    Instant moment = next.isAfter(now) ? next : now;
    next = moment.plus(gap);
    return Duration.between(now, moment);
  }

  /** Takes this moment if it is free. */
  synchronized boolean tryNow(Instant now) {
    if (next.isAfter(now)) {
      return false;
    }
    next = now.plus(gap);
    return true;
  }
}
