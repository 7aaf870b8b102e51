package dev.finetune.local.kubelet;

/** A pod can't start, or not yet, with the reason that a kubelet would give. */
final class MountException extends Exception {
  MountException(String message) {
    super(message);
  }
}
