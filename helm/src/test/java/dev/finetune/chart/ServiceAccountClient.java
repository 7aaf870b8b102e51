package dev.finetune.chart;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;

/** Tries what a service account may do. */
final class ServiceAccountClient {
  private final String kubeconfig;

  ServiceAccountClient(String kubeconfig) {
    this.kubeconfig = kubeconfig;
  }

  /** Creates an object; returns what the API server refused it with, empty where it took it. */
  String create(HasMetadata object) {
    try (KubernetesClient client =
        new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(kubeconfig)).build()) {
      client.resource(object).create();
      return "";
    } catch (KubernetesClientException e) {
      return e.getMessage();
    }
  }
}
