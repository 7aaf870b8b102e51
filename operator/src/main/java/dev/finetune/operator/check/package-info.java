/** The command {@code check} of the operator's program, which {@code helm test} runs. */
package dev.finetune.operator.check;
