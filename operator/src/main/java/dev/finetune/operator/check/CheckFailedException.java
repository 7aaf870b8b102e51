package dev.finetune.operator.check;

/** An installation that doesn't work; the message says what was found and where to look. */
final class CheckFailedException extends Exception {
  private static final long serialVersionUID = 1;

  CheckFailedException(String message) {
    super(message);
  }
}
