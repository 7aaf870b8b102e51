package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Binds pods to the one node there is. CPU and memory are let pass, since a laptop is busy with
 * other things anyway; devices are counted, because a pod that got none would fail.
 */
final class Scheduler {
  private final KubernetesClient client;
  private final Node node;
  private final Clock clock;

  Scheduler(KubernetesClient client, Node node, Clock clock) {
    this.client = client;
    this.node = node;
    this.clock = clock;
  }

  /** Looks at every pod without a node. */
  void schedule() {
    List<Pod> pods = client.pods().inAnyNamespace().list().getItems();
    Map<String, Long> used = new TreeMap<>();
    pods.stream()
        .filter(pod -> pod.getSpec().getNodeName() != null && !PodStatuses.ended(pod))
        .forEach(pod -> devices(pod).forEach((name, count) -> used.merge(name, count, Long::sum)));
    for (Pod pod : pods) {
      boolean waits =
          pod.getSpec().getNodeName() == null
              && !PodStatuses.ended(pod)
              && pod.getMetadata().getDeletionTimestamp() == null;
      if (waits) {
        Optional<String> obstacle = obstacle(pod, used);
        if (obstacle.isPresent()) {
          refuse(pod, "0/1 nodes are available: 1 " + obstacle.get() + ".");
        } else {
          devices(pod).forEach((name, count) -> used.merge(name, count, Long::sum));
          pod.getSpec().setNodeName(node.name());
          client.resource(pod).update();
        }
      }
    }
  }

  /** In the words of the kube-scheduler. */
  private Optional<String> obstacle(Pod pod, Map<String, Long> used) {
    Map<String, String> selector = pod.getSpec().getNodeSelector();
    if (selector != null && !node.labels().entrySet().containsAll(selector.entrySet())) {
      return Optional.of("node(s) didn't match Pod's node affinity/selector");
    }
    return devices(pod).entrySet().stream()
        .filter(
            need ->
                need.getValue() + used.getOrDefault(need.getKey(), 0L) > capacity(need.getKey()))
        .map(need -> "Insufficient " + need.getKey())
        .findFirst();
  }

  private long capacity(String device) {
    return Node.GPU_RESOURCE.equals(device) ? node.gpus() : 0;
  }

  /** Extended resources have a domain in their name; cpu and memory have none. */
  private static Map<String, Long> devices(Pod pod) {
    Map<String, Long> devices = new TreeMap<>();
    for (var container : pod.getSpec().getContainers()) {
      Map<String, Quantity> limits =
          container.getResources() == null || container.getResources().getLimits() == null
              ? Map.of()
              : container.getResources().getLimits();
      limits.forEach(
          (name, quantity) -> {
            if (name.contains("/")) {
              devices.merge(name, quantity.getNumericalAmount().longValue(), Long::sum);
            }
          });
    }
    return devices;
  }

  private void refuse(Pod pod, String message) {
    boolean said =
        pod.getStatus() != null
            && pod.getStatus().getConditions().stream()
                .anyMatch(condition -> message.equals(condition.getMessage()));
    if (!said) {
      pod.setStatus(
          PodStatuses.unschedulable(message, clock.instant().truncatedTo(ChronoUnit.SECONDS)));
      client.resource(pod).updateStatus();
    }
  }
}
