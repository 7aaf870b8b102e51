/**
 * Writes what is generated from the API types and committed, and checks that it is up to date: the
 * CRD and its reference page.
 */
package dev.finetune.api.generate;
