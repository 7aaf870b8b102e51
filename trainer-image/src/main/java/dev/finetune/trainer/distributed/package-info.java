/**
 * Collectives between the processes of one training: PyTorch's c10d, with Gloo on the CPU and NCCL
 * on GPUs, reached through our native library (src/main/native). Nothing outside this package knows
 * of either.
 */
package dev.finetune.trainer.distributed;
