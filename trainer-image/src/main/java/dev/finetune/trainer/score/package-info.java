/** Scores of the text that a model writes, by the definitions of rouge-score and sacrebleu. */
package dev.finetune.trainer.score;
