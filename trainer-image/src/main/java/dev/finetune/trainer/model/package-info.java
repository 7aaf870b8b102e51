/**
 * Language models read from Hugging Face folders: the check of a folder, its weights, the
 * architectures (a class and a TorchScript file each) and the generation of text.
 */
package dev.finetune.trainer.model;
