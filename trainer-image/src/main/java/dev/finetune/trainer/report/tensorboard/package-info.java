/** TensorBoard's event files: their framing and the one kind of event that a run writes. */
package dev.finetune.trainer.report.tensorboard;
