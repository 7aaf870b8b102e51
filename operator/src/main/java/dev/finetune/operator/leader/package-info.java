/** One process leads; it starts the operator when it has the lease and ends when it loses it. */
package dev.finetune.operator.leader;
