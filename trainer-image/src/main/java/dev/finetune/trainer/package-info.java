/** The trainer: tunes a language model as a recipe says, in one process on one machine. */
package dev.finetune.trainer;
