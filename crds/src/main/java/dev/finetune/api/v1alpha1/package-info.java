/**
 * The API of finetune.dev/v1alpha1 as plain records: what a user may write, what the operator
 * reports, and what the trainer and the operator say to each other. No logic lives here.
 *
 * <p>Each field is described once, in its {@code JsonPropertyDescription}; the CRD and
 * docs/reference are generated from it.
 */
package dev.finetune.api.v1alpha1;
