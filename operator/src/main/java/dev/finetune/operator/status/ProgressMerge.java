package dev.finetune.operator.status;

import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainingProgress;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Lays what the trainer says over what the status has. A part that the trainer is silent about
 * stays, so that a trainer that can't be reached and an operator that was restarted lose nothing.
 */
final class ProgressMerge {
  /** Keeps the status small; the trainer's log has all epochs. */
  private static final int KEPT_EPOCHS = 100;

  private ProgressMerge() {}

  static Progress merge(FineTuneJobStatus before, Progress now) {
    TrainingProgress training = later(before.training(), now.training());
    return new Progress(
        training,
        epochs(before.epochs(), now.epochs(), now.training()),
        later(before.checkpoints(), now.checkpoints()),
        later(before.dataset(), now.dataset()),
        later(before.parameters(), now.parameters()),
        later(before.result(), now.result()));
  }

  private static <T> T later(T before, T now) {
    return now == null ? before : now;
  }

  private static List<EpochResult> epochs(
      List<EpochResult> before, List<EpochResult> now, TrainingProgress training) {
    if (now == null && training == null) {
      return before;
    }
    Map<Integer, EpochResult> byNumber = new TreeMap<>();
    List.of(orEmpty(before), orEmpty(now))
        .forEach(epochs -> epochs.forEach(epoch -> byNumber.put(epoch.epoch(), epoch)));
    // An attempt that went on from an earlier checkpoint has yet to reach the epochs after it.
    if (training != null && training.step() != null) {
      byNumber.values().removeIf(epoch -> epoch.step() != null && epoch.step() > training.step());
    }
    if (byNumber.isEmpty()) {
      return null;
    }
    List<EpochResult> all = List.copyOf(byNumber.values());
    return all.subList(Math.max(0, all.size() - KEPT_EPOCHS), all.size());
  }

  private static List<EpochResult> orEmpty(List<EpochResult> epochs) {
    return epochs == null ? List.of() : epochs;
  }
}
