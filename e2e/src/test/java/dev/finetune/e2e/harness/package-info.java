/**
 * The cluster of the end-to-end tests: how they reach it, use it, disturb it and report about it.
 */
package dev.finetune.e2e.harness;
