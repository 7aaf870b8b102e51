package dev.finetune.operator.reconcile;

import io.fabric8.kubernetes.client.KubernetesClientException;

/** The API server refused what was to be written, and will until somebody changes something. */
abstract class RefusedException extends RuntimeException {
  /** Unprocessable Entity: the object as such is invalid. */
  static final int UNPROCESSABLE = 422;

  private static final long serialVersionUID = 1;

  RefusedException(String message, KubernetesClientException cause) {
    super(message, cause);
  }

  /** The API server's own words. */
  static String words(KubernetesClientException e) {
    return e.getStatus() == null || e.getStatus().getMessage() == null
        ? e.getMessage()
        : e.getStatus().getMessage();
  }
}
