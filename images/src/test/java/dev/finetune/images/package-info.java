/** Reads the built images: lists what is in them and checks what they promise. */
package dev.finetune.images;
