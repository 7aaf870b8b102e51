package dev.finetune.trainer.data;

import dev.finetune.api.v1alpha1.DatasetVerdict;
import java.util.List;

/**
 * A data set that every row of has been checked and tokenised.
 *
 * @param train the rows to train on, in the files' order, at least one
 * @param validation the rows that are never trained on, in the files' order; may be none
 * @param verdict what the check found
 */
public record PreparedDataset(
    List<TokenizedExample> train, List<TokenizedExample> validation, DatasetVerdict verdict) {}
