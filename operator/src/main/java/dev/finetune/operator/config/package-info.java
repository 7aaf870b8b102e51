/** The operator's settings, one typed interface for the process. */
package dev.finetune.operator.config;
