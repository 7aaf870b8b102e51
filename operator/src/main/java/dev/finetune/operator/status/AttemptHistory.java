package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

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

  /** With the end of its last attempt filled in, and what was known of its steps kept. */
  public static List<Attempt> ended(List<Attempt> attempts, Attempt ended) {
    Attempt last = last(attempts).orElseThrow();
    AttemptDraft draft = AttemptDraft.of(ended);
    draft.resumedFromStep = last.resumedFromStep();
    draft.lostSteps = last.lostSteps();
    return replaceLast(attempts, draft.build());
  }

  static List<Attempt> started(List<Attempt> attempts, int number, String job, Instant now) {
    AttemptDraft draft = new AttemptDraft();
    draft.number = number;
    draft.job = job;
    draft.startTime = now.truncatedTo(ChronoUnit.SECONDS).toString();
    var all = new ArrayList<>(attempts);
    all.add(draft.build());
    return List.copyOf(all.subList(Math.max(0, all.size() - KEPT), all.size()));
  }

  static List<Attempt> onNode(List<Attempt> attempts, String node) {
    return node == null ? attempts : editLast(attempts, draft -> draft.node = node);
  }

  /** Counts one more time that the queue took the last attempt's GPUs back. */
  static List<Attempt> preempted(List<Attempt> attempts) {
    return editLast(
        attempts,
        draft -> draft.preemptions = Objects.requireNonNullElse(draft.preemptions, 0) + 1);
  }

  /** With the time for which its last attempt held GPUs once more. */
  static List<Attempt> addGpuSeconds(List<Attempt> attempts, long gpuSeconds) {
    return editLast(
        attempts,
        draft -> draft.gpuSeconds = Objects.requireNonNullElse(draft.gpuSeconds, 0L) + gpuSeconds);
  }

  /**
   * Notes how the last attempt's trainer ended, while its pod is still there to tell: a pod that is
   * being deleted is gone soon after.
   */
  static List<Attempt> exited(List<Attempt> attempts, ContainerStateTerminated terminated) {
    return editLast(
        attempts,
        draft -> {
          draft.exitCode = terminated.getExitCode();
          draft.endTime = terminated.getFinishedAt();
          draft.log = LastWords.of(terminated).logOrNull();
        });
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
    List<Attempt> all = new ArrayList<>(editLast(attempts, draft -> draft.resumedFromStep = from));
    int previous = all.size() - 2;
    if (previous >= 0 && all.get(previous).resumedFromStep() != null && stepBefore != null) {
      all.set(
          previous,
          edit(all.get(previous), draft -> draft.lostSteps = Math.max(0, stepBefore - from)));
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
    return editLast(attempts, draft -> draft.lostSteps = lost);
  }

  private static int resumedFromStep(Progress progress) {
    return progress.checkpoints() == null || progress.checkpoints().resumedFrom() == null
        ? 0
        : Objects.requireNonNullElse(progress.checkpoints().resumedFrom().step(), 0);
  }

  private static Attempt edit(Attempt attempt, Consumer<AttemptDraft> change) {
    AttemptDraft draft = AttemptDraft.of(attempt);
    change.accept(draft);
    return draft.build();
  }

  private static List<Attempt> editLast(List<Attempt> attempts, Consumer<AttemptDraft> change) {
    return last(attempts)
        .map(attempt -> replaceLast(attempts, edit(attempt, change)))
        .orElse(attempts);
  }

  private static List<Attempt> replaceLast(List<Attempt> attempts, Attempt last) {
    var all = new ArrayList<>(attempts);
    all.set(all.size() - 1, last);
    return List.copyOf(all);
  }
}
