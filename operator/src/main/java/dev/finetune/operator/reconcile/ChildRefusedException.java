package dev.finetune.operator.reconcile;

import io.fabric8.kubernetes.client.KubernetesClientException;

/**
 * The API server refused to create a child: a quota, a missing permission, an admission webhook, an
 * invalid field. The message is for the user; the pass is tried again.
 */
final class ChildRefusedException extends RefusedException {
  private static final long serialVersionUID = 1;

  ChildRefusedException(String message, KubernetesClientException cause) {
    super(message, cause);
  }
}
