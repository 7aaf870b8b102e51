/** The command line: reads a recipe or flags, puts a run together and maps its end to a code. */
package dev.finetune.trainer.cli;
