package dev.finetune.trainer.picture;

/** What is wrong with a picture's file and what to do about it, in one line for the user. */
public final class PictureFault extends Exception {
  /**
   * @param message what was found and what to do about it
   */
  public PictureFault(String message) {
    super(message);
  }
}
