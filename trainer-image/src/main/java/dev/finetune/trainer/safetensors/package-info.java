/** The safetensors file format: a JSON header and the tensors' bytes behind it. */
package dev.finetune.trainer.safetensors;
