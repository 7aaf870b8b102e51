package dev.finetune.trainer;

import dev.finetune.api.v1alpha1.TrainerExit;

/**
 * Ends the program with an exit code and a message for the user. The message says what was found
 * and what to do about it; no stack trace is shown for it.
 */
public final class TrainerException extends RuntimeException {
  private final transient TrainerExit exit;

  /**
   * @param exit the exit code to end with
   * @param message what was found and what to do about it
   */
  public TrainerException(TrainerExit exit, String message) {
    super(message);
    this.exit = exit;
  }

  /**
   * @param exit the exit code to end with
   * @param message what was found and what to do about it
   * @param cause what was thrown
   */
  public TrainerException(TrainerExit exit, String message, Throwable cause) {
    super(message, cause);
    this.exit = exit;
  }

  /** The exit code to end with. */
  public TrainerExit exit() {
    return exit;
  }
}
