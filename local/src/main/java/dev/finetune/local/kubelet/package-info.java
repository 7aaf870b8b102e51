/**
 * The one node of the embedded cluster: a scheduler that counts its GPUs, and a kubelet that runs
 * the command of each pod as a process of this machine, with an address and a folder of its own.
 */
package dev.finetune.local.kubelet;
