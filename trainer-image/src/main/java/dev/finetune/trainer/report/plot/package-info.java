/** Line plots as PNG files, without java.awt, which needs fonts and libraries that images lack. */
package dev.finetune.trainer.report.plot;
