package dev.finetune.trainer.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.trainer.data.LengthHistogram;
import dev.finetune.trainer.data.PictureCounts;
import java.util.List;

/**
 * What {@code plan} finds: its JSON form is what {@code plan --json} prints.
 *
 * @param dataset what the check of every row found
 * @param warnings what the user should know
 * @param pictures the rows' pictures; null where there are none
 * @param lengths how long the rows are, before any cut
 * @param steps optimizer steps
 * @param work what an epoch computes as the recipe is
 * @param packed what it would compute with training.packing; null where it is on
 * @param devices what each device of a rank holds
 * @param time how long training takes at least; null where nothing is known of the device's speed
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record RunPlan(
    DatasetVerdict dataset,
    List<String> warnings,
    PictureCounts pictures,
    List<LengthHistogram.Bar> lengths,
    Steps steps,
    Work work,
    Work packed,
    List<Device> devices,
    Time time) {

  /**
   * Optimizer steps.
   *
   * @param perEpoch steps of a pass over the rows
   * @param total steps of the run
   * @param ranks processes that share each step
   */
  record Steps(int perEpoch, int total, int ranks) {}

  /**
   * What an epoch computes.
   *
   * @param steps optimizer steps
   * @param tokens tokens of its rows
   * @param computedTokens the same with the padding
   */
  record Work(int steps, long tokens, long computedTokens) {
    /** The padding's share of what is computed, 0 to 1. */
    double padding() {
      return computedTokens == 0 ? 0 : 1 - (double) tokens / computedTokens;
    }
  }

  /**
   * What a device holds while it trains, in bytes, counted and not measured.
   *
   * @param device cpu, or cuda:N
   * @param layers its decoder layers, such as 0-11
   * @param weights the frozen weights
   * @param adapter what trains, with its gradient and the optimizer's state
   * @param activations the largest micro-batch's
   * @param sum all of it
   */
  record Device(
      String device, String layers, long weights, long adapter, long activations, long sum) {}

  /**
   * A lower bound of the time that training takes, without evaluations and checkpoints.
   *
   * @param flopsPerToken floating-point operations of a token
   * @param flopsPerTile floating-point operations of looking at a tile; 0 for text alone
   * @param flopsPerSecond of a device
   * @param measured whether the speed was measured here, or given by the user
   * @param seconds all steps' operations at that speed on all ranks
   */
  record Time(
      double flopsPerToken,
      double flopsPerTile,
      double flopsPerSecond,
      boolean measured,
      long seconds) {}
}
