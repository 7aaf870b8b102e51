package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.DatasetOptions;
import dev.finetune.api.v1alpha1.DatasetVerdict;
import dev.finetune.api.v1alpha1.TrainingOptions;
import java.util.List;

/**
 * A data set that every row of has been checked and tokenised.
 *
 * @param train the rows to train on, in the files' order, at least one
 * @param validation the rows that are never trained on, in the files' order; may be none
 * @param weighted how often an epoch takes each of the rows to train on
 * @param verdict what the check found
 * @param pictures the rows' pictures
 * @param lengths how long the rows are, before any cut and with those that were left out
 * @param warnings what the user should know
 */
public record PreparedDataset(
    Examples train,
    Examples validation,
    WeightedRows weighted,
    DatasetVerdict verdict,
    PictureCounts pictures,
    LengthHistogram lengths,
    List<String> warnings) {
  /** Copies the list. */
  public PreparedDataset {
    warnings = List.copyOf(warnings);
  }

  /**
   * The order of the training rows in each epoch.
   *
   * @param dataset whether they are shuffled
   * @param training whether they are packed or grouped by length, and the seed
   * @param windowRows sequences of an optimizer step, on all ranks
   */
  public EpochOrder order(DatasetOptions dataset, TrainingOptions training, int windowRows) {
    RowOrder order = new RowOrder(weighted, training.seed(), dataset.shuffle());
    if (training.packing()) {
      return new PackedOrder(order, train, training.maxLength(), training.epochs());
    }
    return training.groupByLength() ? new LengthGroups(order, train, windowRows) : order;
  }

  /**
   * The validation rows in batches.
   *
   * @param training how many are in each, and whether they are packed; the loss doesn't depend on
   *     it
   * @param padId id that fills the padding
   */
  public List<Batch> validationBatches(TrainingOptions training, int padId) {
    return training.packing()
        ? EvaluationBatches.packed(validation, training.batchSize(), training.maxLength())
        : EvaluationBatches.padded(validation, training.batchSize(), padId);
  }
}
