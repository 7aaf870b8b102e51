/**
 * The CRD's schema at run time: the same defaults and checks as the API server's, for whoever reads
 * a FineTuneJob or a recipe without one.
 */
package dev.finetune.api.schema;
