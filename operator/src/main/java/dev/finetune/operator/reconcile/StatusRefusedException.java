package dev.finetune.operator.reconcile;

import io.fabric8.kubernetes.client.KubernetesClientException;

/** The CustomResourceDefinition in the cluster doesn't allow a value of a status. */
final class StatusRefusedException extends RefusedException {
  private static final long serialVersionUID = 1;

  StatusRefusedException(KubernetesClientException cause) {
    super(words(cause), cause);
  }
}
