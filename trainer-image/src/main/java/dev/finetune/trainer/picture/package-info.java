/**
 * Pictures as a vision model takes them: decoded as Pillow decodes them, cut into tiles and resized
 * by its bicubic filter, byte for byte.
 */
package dev.finetune.trainer.picture;
