/**
 * Rules across fields of a FineTuneJob that its schema can't say. All violations are found at once.
 */
package dev.finetune.operator.validate;
