/** What the probes of the operator's pod ask: both answers follow the lease. */
package dev.finetune.operator.health;
