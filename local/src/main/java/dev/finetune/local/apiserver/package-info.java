/**
 * An API server in the process: Fabric8's mock stores, selects and watches; what a cluster does
 * beyond that on each write is added here.
 */
package dev.finetune.local.apiserver;
