package dev.finetune.trainer.model;

import java.nio.ByteBuffer;
import java.util.Set;

/** Weights that take the place of a base model's. Used by one thread at a time. */
public interface ChangedWeights extends AutoCloseable {
  /** The weights' names in the scripts; lm_head.weight too where the head is tied. */
  Set<String> names();

  /** Whether a head that is the embedding's matrix changes with it, and so stays that matrix. */
  default boolean tiesHead() {
    return false;
  }

  /**
   * Some rows of a changed weight, in the base weight's type.
   *
   * @param name which
   * @param base the weight whose place it takes
   * @param first the first row
   * @param rows how many, at least one
   * @return the rows as they lie in a safetensors file
   * @throws dev.finetune.trainer.TrainerException if a number isn't finite in the weight's type
   */
  ByteBuffer rows(String name, WeightLocation base, long first, long rows);

  @Override
  void close();
}
