package dev.finetune.operator.support;

import io.fabric8.kubeapitest.KubeAPIServer;
import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

  private static final Path FOLDER = Path.of("../operator/target/kube-api-test");
  private static final String COMMAND = "hack/kube-binaries.sh operator/target/kube-api-test";
  private static final int STARTUP_MILLISECONDS = 180_000;

  /** Who holds a service account's token is a program under test; the tests themselves don't. */
  private static final String AUDIT_POLICY =
      """
      apiVersion: audit.k8s.io/v1
      kind: Policy
      omitStages: [RequestReceived]
      rules:
        - level: Metadata
          userGroups: [system:serviceaccounts]
        - level: None
      """;

  private static final AtomicInteger NAMESPACES = new AtomicInteger();

  private final List<String> flags;
  private Running running;

  /**
   * The API server of all test classes of this module.
   *
   * @param flags of kube-apiserver beside those that it needs to run: names, each with its value
   *     behind it; the same in each class
   */
  public KubeApiServer(String... flags) {
    this.flags = List.of(flags);
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    running =
        context
            .getRoot()
            .getStore(ExtensionContext.Namespace.GLOBAL)
            .computeIfAbsent(Running.class, key -> start(flags), Running.class);
  }

  /** A client with every right. */
  public KubernetesClient client() {
    return running.client;
  }

  /** The CustomResourceDefinition as it is installed. */
  public Resource<CustomResourceDefinition> crd() {
    return client()
        .apiextensions()
        .v1()
        .customResourceDefinitions()
        .withName("finetunejobs.finetune.dev");
  }

  /** The kubeconfig of {@link #client()}. */
  public String kubeconfig() {
    return running.server.getKubeConfigYaml();
  }

  /** One JSON object a line for each request that was made with a service account's token. */
  public Path auditLog() {
    return running.auditLog;
  }

  /** Creates a namespace that no other test uses, and returns its name. */
  public String newNamespace() {
    String name = "test-" + NAMESPACES.incrementAndGet();
    client()
        .resource(new NamespaceBuilder().withNewMetadata().withName(name).endMetadata().build())
        .create();
    return name;
  }

  private static Running start(List<String> flags) {
    requireBinaries();
    Path auditLog = FOLDER.resolve("audit.log").toAbsolutePath().normalize();
    KubeAPIServer server = server(auditLog, flags);
    server.start();
    KubernetesClient client =
        new KubernetesClientBuilder()
            .withConfig(Config.fromKubeconfig(server.getKubeConfigYaml()))
            .build();
    installCrd(client);
    return new Running(server, client, auditLog);
  }

  private static boolean download() {
    return Files.exists(FOLDER.resolve("download"));
  }

  private static void requireBinaries() {
    if (!download() && !Files.isDirectory(FOLDER.resolve("k8s"))) {
      throw new IllegalStateException(
          "etcd and kube-apiserver are not there; Maven builds them before the tests, or run: "
              + COMMAND);
    }
  }

  private static KubeAPIServer server(Path auditLog, List<String> flags) {
    try {
      Path policy = Files.writeString(FOLDER.resolve("audit.yaml"), AUDIT_POLICY);
      Files.deleteIfExists(auditLog);
      // In code, because kube-api-test 7.5.2 fails on the environment variables for the first two.
      return new KubeAPIServer(
          KubeAPIServerConfigBuilder.anAPIServerConfig()
              .withTestDir(FOLDER.toAbsolutePath().normalize().toString())
              .withOfflineMode(!download())
              .withStartupTimeout(STARTUP_MILLISECONDS)
              .withApiServerFlag("--audit-policy-file", policy.toAbsolutePath().toString())
              .withApiServerFlag("--audit-log-path", auditLog.toString())
              .withApiServerFlags(flags)
              .build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void installCrd(KubernetesClient client) {
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

  private record Running(KubeAPIServer server, KubernetesClient client, Path auditLog)
      implements AutoCloseable {
    @Override
    public void close() {
      client.close();
      server.stop();
    }
  }
}
