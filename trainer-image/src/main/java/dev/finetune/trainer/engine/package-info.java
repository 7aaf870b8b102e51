/**
 * TorchScript on DJL's PyTorch engine: archives built in memory from readable source, and typed
 * calls of their methods. Nothing outside this package touches DJL's arrays.
 */
package dev.finetune.trainer.engine;
