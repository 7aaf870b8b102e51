/** The training loop: what is learnt from when, at which rate, and when to evaluate and save. */
package dev.finetune.trainer.train;
