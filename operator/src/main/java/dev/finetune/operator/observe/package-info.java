/**
 * What is there: the Jobs and pods of a FineTuneJob and the trainer's own progress, read into one\n
 * * immutable record.
 */
package dev.finetune.operator.observe;
