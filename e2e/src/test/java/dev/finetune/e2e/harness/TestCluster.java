package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The cluster of a test run, with the operator installed from its chart. The first test class that
 * registers this extension installs it; all share it.
 */
public final class TestCluster implements BeforeAllCallback {
  private Running running;

  @Override
  public void beforeAll(ExtensionContext context) {
    running =
        context
            .getRoot()
            .getStore(ExtensionContext.Namespace.GLOBAL)
            .computeIfAbsent(Running.class, key -> start(), Running.class);
  }

  /** A client with every right. */
  public KubernetesClient client() {
    return running.client;
  }

  /** The installed operator. */
  public OperatorRelease operator() {
    return running.operator;
  }

  /** Power cuts, a stopped API server, signals to a pod's processes; on our own cluster only. */
  public Disturbances disturbances() {
    return running.disturbances;
  }

  /** The kubectl of the cluster's version. */
  public Kubectl kubectl() {
    return running.kubectl;
  }

  /** Names of the nodes, sorted. */
  public List<String> nodes() {
    return client().nodes().list().getItems().stream()
        .map(node -> node.getMetadata().getName())
        .sorted()
        .toList();
  }

  /** The class of a claim that names none; empty where a cluster has no default. */
  String defaultStorageClass() {
    return client().storage().v1().storageClasses().list().getItems().stream()
        .filter(TestCluster::isDefault)
        .map(each -> each.getMetadata().getName())
        .findFirst()
        .orElse("");
  }

  private static boolean isDefault(StorageClass each) {
    Map<String, String> annotations = each.getMetadata().getAnnotations();
    return annotations != null
        && "true".equals(annotations.get("storageclass.kubernetes.io/is-default-class"));
  }

  Settings settings() {
    return running.settings;
  }

  SharedFolder shared() {
    return running.shared;
  }

  private static Running start() {
    Settings settings = Settings.ofTheBuild();
    KubernetesClient client = client(settings);
    var operator = new OperatorRelease(client, settings);
    operator.install();
    return new Running(
        settings,
        client,
        operator,
        new Disturbances(settings),
        new Kubectl(settings),
        SharedFolder.prepare(settings.shared()));
  }

  private static KubernetesClient client(Settings settings) {
    try {
      Config config = Config.fromKubeconfig(Files.readString(settings.kubeconfig()));
      // A test that stops the API server wants to be told, not to wait.
      config.setRequestRetryBackoffLimit(1);
      config.setRequestTimeout((int) Duration.ofSeconds(30).toMillis());
      return new KubernetesClientBuilder().withConfig(config).build();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Running(
      Settings settings,
      KubernetesClient client,
      OperatorRelease operator,
      Disturbances disturbances,
      Kubectl kubectl,
      SharedFolder shared)
      implements AutoCloseable {
    @Override
    public void close() {
      // Our own cluster goes away as a whole; another one is left as it was found.
      if (settings.scripts().isEmpty()) {
        operator.uninstall();
      }
      client.close();
    }
  }
}
