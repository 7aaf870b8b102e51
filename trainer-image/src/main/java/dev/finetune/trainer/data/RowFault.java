package dev.finetune.trainer.data;

/** What is wrong with a row, in words for the user, without its place. */
final class RowFault extends Exception {
  RowFault(String message) {
    super(message);
  }
}
