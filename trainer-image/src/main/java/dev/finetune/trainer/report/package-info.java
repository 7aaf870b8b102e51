/** Facts about a run outwards: progress, logs, metrics, last words. Never influences training. */
package dev.finetune.trainer.report;
