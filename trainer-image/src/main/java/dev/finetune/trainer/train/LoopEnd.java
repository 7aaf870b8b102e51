package dev.finetune.trainer.train;

import dev.finetune.trainer.checkpoint.TrainerState;

/**
 * How a training loop ended.
 *
 * @param state the last complete step
 * @param finished whether the plan is done; false when the run was asked to stop before
 */
public record LoopEnd(TrainerState state, boolean finished) {}
