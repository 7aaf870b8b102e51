/**
 * The objects that an attempt needs, as pure functions of the FineTuneJob and the settings. No
 * client, clock or environment is read here.
 */
package dev.finetune.operator.resources;
