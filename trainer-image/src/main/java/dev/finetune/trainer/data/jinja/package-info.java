/**
 * An interpreter for the part of the Jinja language that chat templates are written in, which
 * renders as Jinja2 does in Hugging Face transformers. What it doesn't know is an error that names
 * the construct and the line.
 */
package dev.finetune.trainer.data.jinja;
