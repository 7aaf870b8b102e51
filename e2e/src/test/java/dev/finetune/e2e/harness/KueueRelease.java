package dev.finetune.e2e.harness;

import com.marcnuri.helm.Helm;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Kueue, installed from its own Helm chart on our own cluster; any other has to have it. The queues
 * are those of examples/kueue.yaml.
 */
public final class KueueRelease implements BeforeAllCallback {
  private static final String API = "kueue.x-k8s.io/v1beta2";
  private static final String NAMESPACE = "kueue-system";
  private static final Path VALUES = Path.of("src/test/resources/kueue-values.yaml");
  private static final Path QUEUES = Path.of("../examples/kueue.yaml");

  private final TestCluster cluster;

  public KueueRelease(TestCluster cluster) {
    this.cluster = cluster;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    // JUnit promises no order of the two extensions.
    cluster.beforeAll(context);
    cluster.settings().scripts().ifPresent(this::install);
  }

  private void install(Path scripts) {
    Path built = Path.of(System.getProperty("e2e.kueue"));
    Command.run(
        List.of(
            scripts.resolve("load.sh").toString(),
            "--state",
            cluster.settings().state().toString(),
            built.resolve("kueue.tar").toString()));
    new Helm(built.resolve("kueue.files"))
        .upgrade()
        .install()
        .withKubeConfig(cluster.settings().kubeconfig())
        .withName("kueue")
        .withNamespace(NAMESPACE)
        .createNamespace()
        .withValuesFile(VALUES)
        .call();
    client()
        .apps()
        .deployments()
        .inNamespace(NAMESPACE)
        .withName("kueue-controller-manager")
        .waitUntilCondition(Readiness::isDeploymentReady, 3, TimeUnit.MINUTES);
  }

  /** Creates the queues of the example; the LocalQueue goes to this namespace. */
  public void createQueues(String namespace) {
    for (HasMetadata object : queues()) {
      boolean local = object.getKind().equals("LocalQueue");
      object.getMetadata().setNamespace(local ? namespace : null);
      client().resource(object).serverSideApply();
    }
  }

  /** The ClusterQueue of the example. */
  public GenericKubernetesResource clusterQueue() {
    String name =
        queues().stream()
            .filter(object -> object.getKind().equals("ClusterQueue"))
            .map(object -> object.getMetadata().getName())
            .findFirst()
            .orElseThrow();
    return client().genericKubernetesResources(API, "ClusterQueue").withName(name).require();
  }

  /** What Kueue knows of the Jobs in a namespace. */
  public List<GenericKubernetesResource> workloads(String namespace) {
    return client()
        .genericKubernetesResources(API, "Workload")
        .inNamespace(namespace)
        .list()
        .getItems();
  }

  private List<HasMetadata> queues() {
    try (InputStream yaml = Files.newInputStream(QUEUES)) {
      return client().load(yaml).items();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private KubernetesClient client() {
    return cluster.client();
  }
}
