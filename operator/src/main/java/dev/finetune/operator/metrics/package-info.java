/** What Prometheus reads, with labels of a bounded number of values only. */
package dev.finetune.operator.metrics;
