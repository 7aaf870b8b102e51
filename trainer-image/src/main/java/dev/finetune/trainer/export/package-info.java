/** Tuned models as complete folders in Hugging Face's layout, and the proof that they are right. */
package dev.finetune.trainer.export;
