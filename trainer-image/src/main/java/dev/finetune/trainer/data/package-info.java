/** From data files to batches: readers, chat templates, tokens, labels, the order of rows. */
package dev.finetune.trainer.data;
