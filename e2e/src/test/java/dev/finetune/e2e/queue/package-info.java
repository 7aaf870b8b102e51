/** FineTuneJobs in the queues of a real Kueue; run by e2e/release-check.sh. */
package dev.finetune.e2e.queue;
