package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Nodes without machines, where real pods would be too many. The scheduler gives them pods as to
 * any other; this class keeps them ready and says of each pod what a kubelet would say.
 */
public final class SimulatedNodes implements AutoCloseable {
  /** What a FineTuneJob's spec needs for its pods to run here, and nothing else's do. */
  public static final String SPEC =
      """
      pod:
        nodeSelector: {e2e.finetune.dev/simulated: "true"}
        tolerations: [{key: e2e.finetune.dev/simulated, operator: Exists, effect: NoSchedule}]
      """;

  private static final String LABEL = "e2e.finetune.dev/simulated";

  /** Of the documentation network (RFC 5737), so that nobody answers there. */
  private static final String POD_ADDRESS = "192.0.2.1";

  private static final int WORKERS = 8;
  private static final int MOST_EDITS = 10;

  private final KubernetesClient client;
  private final String namespace;
  private final List<Node> nodes;
  private final ScheduledExecutorService heartbeat = Executors.newSingleThreadScheduledExecutor();
  private final ExecutorService kubelet = Executors.newFixedThreadPool(WORKERS);
  private final SharedIndexInformer<Pod> pods;

  /**
   * Adds the nodes.
   *
   * @param namespace whose pods are run
   * @param gpus of each node
   */
  public SimulatedNodes(KubernetesClient client, String namespace, int count, int gpus) {
    this.client = client;
    this.namespace = namespace;
    this.nodes = IntStream.range(0, count).mapToObj(i -> node(i, gpus)).toList();
    nodes.forEach(node -> client.resource(node).create());
    var unused = heartbeat.scheduleAtFixedRate(this::beat, 0, 4, TimeUnit.SECONDS);
    this.pods =
        client
            .pods()
            .inNamespace(namespace)
            .inform(
                new ResourceEventHandler<>() {
                  @Override
                  public void onAdd(Pod pod) {
                    changed(pod);
                  }

                  @Override
                  public void onUpdate(Pod before, Pod pod) {
                    changed(pod);
                  }

                  @Override
                  public void onDelete(Pod pod, boolean unknown) {}
                });
  }

  private static Node node(int index, int gpus) {
    Map<String, Quantity> resources =
        Map.of(
            "cpu", new Quantity("1000"),
            "memory", new Quantity("4Ti"),
            "pods", new Quantity("1000"),
            "nvidia.com/gpu", new Quantity(String.valueOf(gpus)));
    return new NodeBuilder()
        .withNewMetadata()
        .withName("simulated-" + index)
        .addToLabels(LABEL, "true")
        .endMetadata()
        .withNewSpec()
        .addNewTaint()
        .withKey(LABEL)
        .withEffect("NoSchedule")
        .endTaint()
        .endSpec()
        .withNewStatus()
        .withCapacity(resources)
        .withAllocatable(resources)
        .endStatus()
        .build();
  }

  private void beat() {
    try {
      nodes.forEach(this::beat);
    } catch (KubernetesClientException e) {
      // The next beat is soon enough; an exception would be the end of all beats.
    }
  }

  /** A node that doesn't say so every few seconds is taken for lost. */
  private void beat(Node node) {
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    client
        .nodes()
        .withName(node.getMetadata().getName())
        .editStatus(
            each ->
                new NodeBuilder(each)
                    .editStatus()
                    .removeMatchingFromConditions(condition -> "Ready".equals(condition.getType()))
                    .addNewCondition()
                    .withType("Ready")
                    .withStatus("True")
                    .withReason("Simulated")
                    .withLastHeartbeatTime(now)
                    .withLastTransitionTime(now)
                    .endCondition()
                    .endStatus()
                    .build());
  }

  private void changed(Pod pod) {
    boolean here =
        nodes.stream()
            .anyMatch(node -> node.getMetadata().getName().equals(pod.getSpec().getNodeName()));
    if (here && pending(pod)) {
      kubelet.execute(() -> run(pod));
    }
  }

  private static boolean pending(Pod pod) {
    return "Pending".equals(pod.getStatus().getPhase());
  }

  private void run(Pod pod) {
    edit(pod, each -> pending(each) ? running(each) : each);
  }

  private static Pod running(Pod each) {
    String now = ZonedDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS).toString();
    return each.edit()
        .editStatus()
        .withPhase("Running")
        .withPodIP(POD_ADDRESS)
        .withStartTime(now)
        .addToConditions(new PodConditionBuilder().withType("Ready").withStatus("True").build())
        .withContainerStatuses(
            container(each).withReady(true).withNewState().withNewRunning(now).endState().build())
        .endStatus()
        .build();
  }

  /**
   * Ends a pod's container well.
   *
   * @param message its last words
   */
  public void succeed(Pod pod, String message) {
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    ContainerStatus ended =
        container(pod)
            .withReady(false)
            .withNewState()
            .withNewTerminated()
            .withExitCode(0)
            .withReason("Completed")
            .withMessage(message)
            .withStartedAt(pod.getStatus().getStartTime())
            .withFinishedAt(now)
            .endTerminated()
            .endState()
            .build();
    edit(
        pod,
        each ->
            each.edit()
                .editStatus()
                .withPhase("Succeeded")
                .withContainerStatuses(ended)
                .endStatus()
                .build());
  }

  /**
   * Edits a pod's status as it is now, and again where somebody else was faster: the scheduler
   * writes to it too.
   */
  private void edit(Pod pod, UnaryOperator<Pod> change) {
    for (int attempt = 1; ; attempt++) {
      try {
        client
            .pods()
            .inNamespace(namespace)
            .withName(pod.getMetadata().getName())
            .editStatus(change);
        return;
      } catch (KubernetesClientException e) {
        if (attempt == MOST_EDITS) {
          throw e;
        }
      }
    }
  }

  private static ContainerStatusBuilder container(Pod pod) {
    var container = pod.getSpec().getContainers().get(0);
    return new ContainerStatusBuilder()
        .withName(container.getName())
        .withImage(container.getImage())
        .withImageID("")
        .withRestartCount(0);
  }

  @Override
  public void close() {
    pods.close();
    kubelet.shutdownNow();
    heartbeat.shutdownNow();
    client.pods().inNamespace(namespace).withGracePeriod(0).delete();
    nodes.forEach(node -> client.resource(node).delete());
  }
}
