package dev.finetune.operator.support;

import dev.finetune.api.v1alpha1.Checkpoint;
import dev.finetune.api.v1alpha1.Checkpoints;
import dev.finetune.api.v1alpha1.EpochResult;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TrainingProgress;
import dev.finetune.api.v1alpha1.TrainingResult;
import java.util.List;
import java.util.stream.IntStream;

/** What a trainer says in a run of two epochs of twenty steps with a checkpoint every ten. */
public final class TestProgress {
  private static final int STEPS_OF_AN_EPOCH = 20;
  private static final int STEPS = 40;
  private static final int SAVE_STEPS = 10;

  private TestProgress() {}

  /** After so many steps, from the start. */
  public static Progress at(int step) {
    return at(step, null);
  }

  /** After so many steps, gone on from the checkpoint of another step. */
  public static Progress at(int step, Integer resumedFrom) {
    List<EpochResult> epochs =
        IntStream.rangeClosed(1, step / STEPS_OF_AN_EPOCH)
            .mapToObj(
                epoch ->
                    new EpochResult(
                        epoch, epoch * STEPS_OF_AN_EPOCH, 2.0 / epoch, 2.5 / epoch, null))
            .toList();
    Checkpoint latest = step < SAVE_STEPS ? null : checkpoint(step / SAVE_STEPS * SAVE_STEPS);
    return new Progress(
        new TrainingProgress(
            (double) step / STEPS_OF_AN_EPOCH,
            STEPS / STEPS_OF_AN_EPOCH,
            (double) step / STEPS_OF_AN_EPOCH + "/" + STEPS / STEPS_OF_AN_EPOCH,
            step,
            STEPS,
            2.0 - step * 0.01,
            null,
            1e-4,
            0.5,
            900.0,
            step * 100 / STEPS,
            60L),
        epochs,
        new Checkpoints(latest, latest, resumedFrom == null ? null : checkpoint(resumedFrom)),
        null,
        new ParameterCounts(1000L, 100_000L),
        step < STEPS ? null : new TrainingResult("pvc://results/tuned/adapter", null, null));
  }

  private static Checkpoint checkpoint(int step) {
    return new Checkpoint(
        step,
        (double) step / STEPS_OF_AN_EPOCH,
        "pvc://results/tuned/checkpoint-" + step,
        4096L,
        "0a1b2c",
        2.5 - step * 0.01);
  }
}
