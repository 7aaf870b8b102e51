package dev.finetune.trainer.data;

/** What a row of a data file says, before a model's tokens stand for it. */
sealed interface Content permits Conversation, Continuation, PlainText {
  /** Its size in UTF-16 units, by which memory is bounded. */
  int size();
}
