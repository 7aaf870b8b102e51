package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The attempts of a status, oldest first. Every method returns a new list. */
public final class AttemptHistory {
  private static final int KEPT = 10;

  private AttemptHistory() {}

  /** The attempts of a status that may not be there yet. */
  public static List<Attempt> of(FineTuneJobStatus status) {
    return status == null || status.attempts() == null ? List.of() : status.attempts();
  }

  /** The newest. */
  public static Optional<Attempt> last(List<Attempt> attempts) {
    return attempts.isEmpty() ? Optional.empty() : Optional.of(attempts.get(attempts.size() - 1));
  }

  /** The one whose Job has not ended. */
  public static Optional<Attempt> running(FineTuneJobStatus status) {
    return last(of(status)).filter(attempt -> attempt.outcome() == AttemptOutcome.Running);
  }

  /** With the end of its last attempt filled in, and the step that it went on from kept. */
  public static List<Attempt> ended(List<Attempt> attempts, Attempt ended) {
    Attempt last = last(attempts).orElseThrow();
    return replaceLast(attempts, withSteps(ended, last.resumedFromStep(), last.lostSteps()));
  }

  /** With the GPU time of its last attempt, where its pod was gone too soon to tell. */
  static List<Attempt> withGpuSeconds(List<Attempt> attempts, long gpuSeconds) {
    Attempt last = last(attempts).orElseThrow();
    return last.gpuSeconds() != null
        ? attempts
        : replaceLast(
            attempts,
            copy(last, last.node(), last.resumedFromStep(), last.lostSteps(), gpuSeconds));
  }

  static List<Attempt> started(List<Attempt> attempts, int number, String job, Instant now) {
    var all = new ArrayList<>(attempts);
    all.add(
        new Attempt(
            number,
            job,
            now.truncatedTo(ChronoUnit.SECONDS).toString(),
            null,
            AttemptOutcome.Running,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null));
    return List.copyOf(all.subList(Math.max(0, all.size() - KEPT), all.size()));
  }

  static List<Attempt> onNode(List<Attempt> attempts, String node) {
    return last(attempts)
        .filter(attempt -> node != null && !node.equals(attempt.node()))
        .map(
            attempt ->
                replaceLast(
                    attempts,
                    copy(attempt, node, attempt.resumedFromStep(), null, attempt.gpuSeconds())))
        .orElse(attempts);
  }

  /**
   * Notes where the running attempt went on from, the first time that it says so, and what that
   * cost the one before: the steps that it had done beyond the checkpoint.
   *
   * @param stepBefore the last step that was seen before {@code progress}; null where none was
   */
  static List<Attempt> resumed(List<Attempt> attempts, Integer stepBefore, Progress progress) {
    Optional<Attempt> last = last(attempts);
    if (last.isEmpty() || last.get().resumedFromStep() != null || progress.training() == null) {
      return attempts;
    }
    int from = resumedFromStep(progress);
    List<Attempt> all = new ArrayList<>(replaceLast(attempts, withSteps(last.get(), from, null)));
    int previous = all.size() - 2;
    if (previous >= 0 && all.get(previous).resumedFromStep() != null && stepBefore != null) {
      Attempt before = all.get(previous);
      all.set(
          previous, withSteps(before, before.resumedFromStep(), Math.max(0, stepBefore - from)));
    }
    return List.copyOf(all);
  }

  /** Notes how many steps the last attempt did beyond the newest checkpoint. */
  static List<Attempt> lost(List<Attempt> attempts, Progress progress) {
    Attempt last = last(attempts).orElseThrow();
    if (last.outcome() == AttemptOutcome.Succeeded
        || last.resumedFromStep() == null
        || progress.training() == null
        || progress.training().step() == null) {
      return attempts;
    }
    int saved =
        progress.checkpoints() == null || progress.checkpoints().latest() == null
            ? 0
            : Objects.requireNonNullElse(progress.checkpoints().latest().step(), 0);
    int lost = Math.max(0, progress.training().step() - saved);
    return replaceLast(attempts, withSteps(last, last.resumedFromStep(), lost));
  }

  private static int resumedFromStep(Progress progress) {
    return progress.checkpoints() == null || progress.checkpoints().resumedFrom() == null
        ? 0
        : Objects.requireNonNullElse(progress.checkpoints().resumedFrom().step(), 0);
  }

  private static Attempt withSteps(Attempt attempt, Integer resumedFromStep, Integer lostSteps) {
    return copy(attempt, attempt.node(), resumedFromStep, lostSteps, attempt.gpuSeconds());
  }

  private static Attempt copy(
      Attempt attempt, String node, Integer resumedFromStep, Integer lostSteps, Long gpuSeconds) {
    return new Attempt(
        attempt.number(),
        attempt.job(),
        attempt.startTime(),
        attempt.endTime(),
        attempt.outcome(),
        attempt.reason(),
        attempt.exitCode(),
        node,
        attempt.message(),
        attempt.log(),
        attempt.preemptions(),
        resumedFromStep,
        lostSteps,
        gpuSeconds);
  }

  private static List<Attempt> replaceLast(List<Attempt> attempts, Attempt last) {
    var all = new ArrayList<>(attempts);
    all.set(all.size() - 1, last);
    return List.copyOf(all);
  }
}
