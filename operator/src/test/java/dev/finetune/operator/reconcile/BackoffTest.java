package dev.finetune.operator.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.ConditionReason;
import dev.finetune.api.v1alpha1.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackoffTest {
  private static final Instant END = Instant.parse("2026-01-01T00:10:00Z");

  @ParameterizedTest
  @CsvSource({"1, 10", "2, 20", "3, 40", "5, 160", "6, 300", "60, 300"})
  void doublesWithEachFailureUpToFiveMinutes(int failures, long seconds) {
    var end = Backoff.end(retry(10), List.of(failed(failures)), failures);

    assertThat(Duration.between(END, end)).hasSeconds(seconds);
  }

  @Test
  void aFirstDelayBeyondFiveMinutesStaysAsItIs() {
    assertThat(Backoff.end(retry(900), List.of(failed(4)), 4)).isEqualTo(END.plusSeconds(900));
  }

  @Test
  void interruptionsInARowDoubleItThoughTheyAreNotCountedAsFailures() {
    var attempts =
        List.of(
            failed(1),
            interrupted(2, ConditionReason.Disrupted),
            interrupted(3, ConditionReason.Interrupted));

    assertThat(Backoff.end(retry(10), attempts, 1)).isEqualTo(END.plusSeconds(20));
  }

  @Test
  void anEndlessRowOfInterruptionsWaitsNoLongerThanFiveMinutes() {
    var attempts =
        IntStream.rangeClosed(1, 10)
            .mapToObj(number -> interrupted(number, ConditionReason.Disrupted))
            .toList();

    assertThat(Backoff.end(retry(10), attempts, 0)).isEqualTo(END.plusSeconds(300));
  }

  @Test
  void aResumedJobDoesNotWait() {
    var attempts = List.of(interrupted(1, ConditionReason.SuspendRequested));

    assertThat(Backoff.end(retry(10), attempts, 0)).isEqualTo(END);
  }

  @Test
  void withoutAPolicyItDoesNotWait() {
    assertThat(Backoff.end(null, List.of(failed(1)), 1)).isEqualTo(END);
  }

  private static RetryPolicy retry(int backoffSeconds) {
    return new RetryPolicy(3, backoffSeconds);
  }

  private static Attempt failed(int number) {
    return attempt(number, AttemptOutcome.Failed, ConditionReason.InternalError);
  }

  private static Attempt interrupted(int number, ConditionReason reason) {
    return attempt(number, AttemptOutcome.Interrupted, reason);
  }

  private static Attempt attempt(int number, AttemptOutcome outcome, ConditionReason reason) {
    return new Attempt(
        number,
        "j",
        null,
        END.toString(),
        outcome,
        reason,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }
}
