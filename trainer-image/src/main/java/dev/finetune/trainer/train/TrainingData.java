package dev.finetune.trainer.train;

import dev.finetune.trainer.data.Batch;

/** The rows of a run, in the order in which it learns from them. */
public interface TrainingData {
  /** Optimizer steps in one pass over the training rows. */
  int windowsPerEpoch();

  /**
   * The micro-batches of one optimizer step. A pure function of its arguments, so that a resumed
   * run finds its place without reading what lies before.
   *
   * @param epoch number of the pass, from 0
   * @param index number of the window in it, from 0
   */
  Window window(int epoch, int index);

  /** The held-out rows, in batches; none when training goes without validation. */
  Iterable<Batch> validation();
}
