/**
 * The loop, the only decision in it, and the two places that write to the cluster: children and
 * status.
 */
package dev.finetune.operator.reconcile;
