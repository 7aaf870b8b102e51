package dev.finetune.trainer.data.jinja;

/** A fault of an operation on values, thrown where the line isn't known; the evaluator adds it. */
final class EvaluationException extends RuntimeException {
  EvaluationException(String message) {
    super(message);
  }
}
