package dev.finetune.trainer.data;

/**
 * Which rows each epoch takes, in what order, and which of them are packed into one sequence: a
 * pure function of the epoch's number, so that any epoch is known without those before it.
 */
public sealed interface EpochOrder permits RowOrder, LengthGroups, PackedOrder {
  /** Rows of the data that are ordered. */
  int rows();

  /** Sequences of the epoch that has most. */
  int sequences();

  /**
   * An epoch's sequences.
   *
   * @param epoch its number, from 0
   */
  Sequences sequencesOf(int epoch);

  /** Whether a sequence may hold several rows. */
  default boolean packs() {
    return false;
  }

  /** Whether the rows of a micro-batch are in the order of their lengths. */
  default boolean byLength() {
    return false;
  }
}
