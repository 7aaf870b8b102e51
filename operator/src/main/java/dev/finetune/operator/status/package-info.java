/**
 * The status as a pure function of the previous one and what was observed: conditions, phase,
 * attempts, and why an attempt ended.
 */
package dev.finetune.operator.status;
