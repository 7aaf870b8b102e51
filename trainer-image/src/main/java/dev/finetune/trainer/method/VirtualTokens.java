package dev.finetune.trainer.method;

import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;

/** What holds for positions that a method puts before every sequence. */
final class VirtualTokens {
  private VirtualTokens() {}

  /**
   * Refuses packed rows: only the first of them would have the virtual tokens before it.
   *
   * @param method its name in a recipe
   */
  static void refusePacking(String method, Boolean packing) {
    if (Boolean.TRUE.equals(packing)) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "%s puts its positions before every row, and packed rows share a sequence; leave training.packing out"
              .formatted(method));
    }
  }
}
