/**
 * A cluster inside one process: API server, Job controller, kubelet and the operator itself, for a
 * laptop with nothing but Java.
 */
package dev.finetune.local;
