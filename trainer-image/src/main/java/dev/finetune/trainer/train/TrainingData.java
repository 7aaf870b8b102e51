package dev.finetune.trainer.train;

import dev.finetune.trainer.data.Batch;
import dev.finetune.trainer.data.MicroBatches;
import java.util.List;

/**
 * The rows of a run.
 *
 * @param training the training rows as windows; a window is a pure function of its epoch and
 *     number, so that a resumed run finds its place
 * @param validation the held-out rows in batches, each made when it is asked for; none when
 *     training goes without validation
 */
public record TrainingData(MicroBatches training, List<Batch> validation) {}
