package dev.finetune.trainer.data;

import java.util.stream.IntStream;

/**
 * The order in which an epoch takes the training rows. With shuffle it is a permutation drawn from
 * SplitMix64, seeded with the recipe's seed and the epoch's number, by Fisher and Yates' method; it
 * is the same on every machine and JDK, and any epoch's order is known without those before it.
 *
 * @param rows number of rows
 * @param seed the recipe's seed
 * @param shuffle false keeps the files' order in every epoch
 */
public record RowOrder(int rows, long seed, boolean shuffle) {
  /**
   * The order of one epoch.
   *
   * @param epoch its number, from 0
   * @return the rows' indices, each once
   */
  public int[] epoch(int epoch) {
    return shuffle
        ? new SplitMix64(seed, SplitMix64.Purpose.EPOCH, epoch).permutation(rows)
        : IntStream.range(0, rows).toArray();
  }
}
