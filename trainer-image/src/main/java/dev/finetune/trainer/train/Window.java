package dev.finetune.trainer.train;

import dev.finetune.trainer.data.Batch;
import java.util.List;

/**
 * What one optimizer step learns from. The last window of an epoch may hold fewer micro-batches;
 * its loss is divided by its own count of tokens.
 *
 * @param batches the micro-batches, at least one
 */
public record Window(List<Batch> batches) {
  public Window {
    batches = List.copyOf(batches);
  }

  /** Tokens that the loss counts: what the window's loss is divided by. */
  public long supervisedTokens() {
    return batches.stream().mapToLong(Batch::supervisedTokens).sum();
  }

  /** Tokens of all sequences, padding not counted. */
  public long tokens() {
    return batches.stream().mapToLong(Batch::tokens).sum();
  }
}
