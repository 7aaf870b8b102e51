/**
 * Which device of a process holds which layers of one replica: the memory that they take while they
 * train, and the cut with the smallest largest share. Pure: it computes from a model's headers.
 */
package dev.finetune.trainer.placement;
