package dev.finetune.trainer.report;

/**
 * A return to a checkpoint, after a loss or a gradient that was NaN or infinite.
 *
 * @param step optimizer steps that the checkpoint contains
 * @param epoch passes over the data so far, with the fraction of the running one
 * @param evaluated whether that step's evaluation is behind it, or comes again
 * @param leftOutStep the step that went wrong, which is left out from now on
 * @param reason what became NaN or infinite, and on which rows
 */
public record Rollback(int step, double epoch, boolean evaluated, int leftOutStep, String reason) {
  /** All of it in a sentence. */
  public String sentence() {
    return "%s; training went back to step %d and leaves the rows of step %d out, this once"
        .formatted(reason, step, leftOutStep);
  }
}
