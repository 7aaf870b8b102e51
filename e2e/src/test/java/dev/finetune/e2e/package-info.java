/** What a user sees on a whole cluster with real pods, one class per kind of event. */
package dev.finetune.e2e;
