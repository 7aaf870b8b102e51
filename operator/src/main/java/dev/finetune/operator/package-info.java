/**
 * The operator: it watches FineTuneJobs, runs each as a series of Kubernetes Jobs, and tells in the
 * status how training goes.
 */
package dev.finetune.operator;
