package dev.finetune.operator.support;

import io.fabric8.kubeapitest.KubeAPIServer;
import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * etcd and kube-apiserver with the CRD, started once for all test classes that register this
 * extension, and stopped after the last of them. No controller runs: nothing but a test creates
 * pods, collects garbage or fills in a quota's status.
 */
public final class KubeApiServer implements BeforeAllCallback {
  /** The CRD's file, seen from the module in whose folder Maven runs tests. */
  public static final Path CRD = Path.of("../crds/finetunejobs.finetune.dev-v1.yml");

  private static final Path FOLDER = Path.of("target/kube-api-test");
  private static final String COMMAND = "hack/kube-binaries.sh operator/target/kube-api-test";
  private static final int STARTUP_MILLISECONDS = 180_000;

  private static final AtomicInteger NAMESPACES = new AtomicInteger();

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

  /** The kubeconfig of {@link #client()}. */
  public String kubeconfig() {
    return running.server.getKubeConfigYaml();
  }

  /** Creates a namespace that no other test uses, and returns its name. */
  public String newNamespace() {
    String name = "test-" + NAMESPACES.incrementAndGet();
    client()
        .resource(new NamespaceBuilder().withNewMetadata().withName(name).endMetadata().build())
        .create();
    return name;
  }

  private static Running start() {
    boolean download = Files.exists(FOLDER.resolve("download"));
    if (!download && !Files.isDirectory(FOLDER.resolve("k8s"))) {
      throw new IllegalStateException(
          "etcd and kube-apiserver are not there; Maven builds them before the tests, or run: "
              + COMMAND);
    }
    // In code, because kube-api-test 7.5.2 fails on the environment variables for these two.
    var server =
        new KubeAPIServer(
            KubeAPIServerConfigBuilder.anAPIServerConfig()
                .withTestDir(FOLDER.toAbsolutePath().toString())
                .withOfflineMode(!download)
                .withStartupTimeout(STARTUP_MILLISECONDS)
                .build());
    server.start();
    KubernetesClient client =
        new KubernetesClientBuilder()
            .withConfig(Config.fromKubeconfig(server.getKubeConfigYaml()))
            .build();
    var running = new Running(server, client);
    CustomResourceDefinition crd =
        client
            .apiextensions()
            .v1()
            .customResourceDefinitions()
            .load(new File(CRD.toString()))
            .create();
    client
        .resource(crd)
        .waitUntilCondition(
            KubeApiServer::established, STARTUP_MILLISECONDS, TimeUnit.MILLISECONDS);
    return running;
  }

  private static boolean established(CustomResourceDefinition crd) {
    return crd != null
        && crd.getStatus() != null
        && crd.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    condition.getType().equals("Established")
                        && condition.getStatus().equals("True"));
  }

  private record Running(KubeAPIServer server, KubernetesClient client) implements AutoCloseable {
    @Override
    public void close() {
      client.close();
      server.stop();
    }
  }
}
