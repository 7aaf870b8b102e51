package dev.finetune.e2e.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.marcnuri.helm.Helm;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.RollableScalableResource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The Helm release of the operator. */
public final class OperatorRelease {
  /** Its namespace. */
  public static final String NAMESPACE = "finetune-system";

  /** Its name, and so the Deployment's and the Lease's. */
  public static final String NAME = "finetune-operator";

  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final KubernetesClient client;
  private final Settings settings;

  OperatorRelease(KubernetesClient client, Settings settings) {
    this.client = client;
    this.settings = settings;
  }

  /** Installs or upgrades to this build's chart and waits until the operator is ready. */
  public void install() {
    install(settings.chart());
  }

  /** The same with another chart, such as one of an earlier version. */
  public void install(Path chart) {
    // Its namespace enforces what the strictest clusters do.
    client
        .resource(
            new NamespaceBuilder()
                .withNewMetadata()
                .withName(NAMESPACE)
                .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                .endMetadata()
                .build())
        .serverSideApply();
    new Helm(chart)
        .upgrade()
        .install()
        .withKubeConfig(settings.kubeconfig())
        .withName(NAME)
        .withNamespace(NAMESPACE)
        // Shorter than a user wants it: a test of a few seconds shall see progress.
        .set("config.progress.interval", "2s")
        .set("trainerImage.flavour", "cpu")
        .call();
    awaitReady(1);
  }

  /** Uninstalls it; what the chart keeps stays. */
  public void uninstall() {
    Helm.uninstall(NAME)
        .withKubeConfig(settings.kubeconfig())
        .withNamespace(NAMESPACE)
        .ignoreNotFound()
        .call();
  }

  /** Runs {@code helm test}; fails as it does. */
  public void test() {
    Helm.test(NAME).withKubeConfig(settings.kubeconfig()).withNamespace(NAMESPACE).call();
  }

  /** The folder of this build's chart. */
  public Path chart() {
    return settings.chart();
  }

  /** Changes the number of replicas and waits until they are ready. */
  public void scale(int replicas) {
    deployment().scale(replicas);
    awaitReady(replicas);
  }

  /** The operator's pods that are not being deleted. */
  public List<Pod> pods() {
    var selector = deployment().get().getSpec().getSelector();
    return client
        .pods()
        .inNamespace(NAMESPACE)
        .withLabelSelector(selector)
        .list()
        .getItems()
        .stream()
        .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
        .toList();
  }

  /** Who holds the lease: the pod's name, and something that differs with each start. */
  public String leaderIdentity() {
    String holder =
        client
            .leases()
            .inNamespace(NAMESPACE)
            .withName(NAME)
            .require()
            .getSpec()
            .getHolderIdentity();
    return holder == null ? "" : holder;
  }

  /** The pod that holds the lease. */
  public Pod leader() {
    String holder = leaderIdentity();
    return pods().stream()
        .filter(pod -> holder.startsWith(pod.getMetadata().getName()))
        .findFirst()
        .orElseThrow(() -> new AssertionError("the lease's holder " + holder + " is no pod"));
  }

  /** What all its pods printed, also before their last restart. */
  public String logs() {
    var text = new StringBuilder();
    for (Pod pod : pods()) {
      var container = client.pods().inNamespace(NAMESPACE).withName(pod.getMetadata().getName());
      boolean restarted =
          pod.getStatus().getContainerStatuses().stream()
              .anyMatch(status -> status.getRestartCount() > 0);
      if (restarted) {
        text.append(previousLog(pod));
      }
      text.append(container.getLog());
    }
    return text.toString();
  }

  private String previousLog(Pod pod) {
    try {
      return client
          .pods()
          .inNamespace(NAMESPACE)
          .withName(pod.getMetadata().getName())
          .terminated()
          .getLog();
    } catch (KubernetesClientException e) {
      // The container runtime has removed it already.
      return "";
    }
  }

  /** Waits until this many replicas are ready and none beside them is left. */
  public void awaitReady(int replicas) {
    await("the operator's " + replicas + " replicas are ready")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(
            () -> {
              var status = deployment().get().getStatus();
              assertThat(count(status.getReadyReplicas())).isEqualTo(replicas);
              assertThat(count(status.getUpdatedReplicas())).isEqualTo(replicas);
              assertThat(count(status.getReplicas())).isEqualTo(replicas);
            });
  }

  /** The API server leaves a zero away. */
  private static int count(Integer replicas) {
    return replicas == null ? 0 : replicas;
  }

  private RollableScalableResource<Deployment> deployment() {
    return client.apps().deployments().inNamespace(NAMESPACE).withName(NAME);
  }
}
