/** Checkpoints and the final adapter on disk: written atomically, verified, rotated, resumed. */
package dev.finetune.trainer.checkpoint;
