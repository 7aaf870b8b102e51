package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Optional;

/**
 * Where the ranks of a job meet. No name is resolved here, so the host name by which a Service
 * makes a pod known becomes that pod's address; and as all pods share the machine's loopback
 * network, 127.0.0.1 becomes the pod's own, or two jobs would meet on one port.
 */
final class MasterAddress {
  private static final String LOOPBACK = "127.0.0.1";

  private final KubernetesClient client;

  MasterAddress(KubernetesClient client) {
    this.client = client;
  }

  /**
   * The address for a value of MASTER_ADDR; other names stay as they are.
   *
   * @param own that of {@code pod}, which asks
   * @throws MountException where the pod of that name has no address yet
   */
  String resolve(String value, Pod pod, String own) throws MountException {
    if (value.equals(LOOPBACK)) {
      return own;
    }
    String subdomain = pod.getSpec().getSubdomain();
    if (subdomain == null || !value.endsWith("." + subdomain)) {
      return value;
    }
    String host = value.substring(0, value.length() - subdomain.length() - 1);
    if (host.equals(pod.getSpec().getHostname())) {
      return own;
    }
    return address(pod.getMetadata().getNamespace(), host, subdomain)
        .orElseThrow(() -> new MountException("pod " + value + " has no address yet"));
  }

  private Optional<String> address(String namespace, String host, String subdomain) {
    return client.pods().inNamespace(namespace).list().getItems().stream()
        .filter(pod -> host.equals(pod.getSpec().getHostname()))
        .filter(pod -> subdomain.equals(pod.getSpec().getSubdomain()))
        .filter(pod -> pod.getStatus() != null && pod.getStatus().getPodIP() != null)
        .map(pod -> pod.getStatus().getPodIP())
        .findFirst();
  }
}
