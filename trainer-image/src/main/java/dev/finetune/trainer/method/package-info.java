/** The tuning methods: which tensors train, how they are initialised and how they are exported. */
package dev.finetune.trainer.method;
