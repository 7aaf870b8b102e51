/** Kubernetes Events for the transitions that a status makes. */
package dev.finetune.operator.events;
