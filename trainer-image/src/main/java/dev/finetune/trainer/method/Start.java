package dev.finetune.trainer.method;

import java.util.Locale;

/** What a tensor that trains starts from. */
enum Start {
  ZEROS,
  ONES,
  /** Drawn from a normal distribution of variance 1: PyTorch's start of an embedding. */
  NORMAL,
  /**
   * Uniform in +-1/sqrt(columns): PyTorch's kaiming_uniform_ with a = sqrt(5), of a linear layer.
   */
  UNIFORM,
  /** Computed from the base model: {@link TuningMethod#putStarts}. */
  GIVEN;

  String scriptName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
