/** Liveness that follows the lease. */
package dev.finetune.operator.health;
