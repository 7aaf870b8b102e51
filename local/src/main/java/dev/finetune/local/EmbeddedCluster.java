package dev.finetune.local;

import dev.finetune.local.apiserver.EmbeddedApiServer;
import dev.finetune.local.controller.JobController;
import dev.finetune.local.kubelet.LocalImages;
import dev.finetune.local.kubelet.Node;
import dev.finetune.local.kubelet.ProcessKubelet;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/** Everything of the cluster but the operator, which is an application of its own. */
public final class EmbeddedCluster implements AutoCloseable {
  private final EmbeddedApiServer apiServer;
  private final KubernetesClient client;
  private final JobController controller;
  private final ProcessKubelet kubelet;
  private boolean closed;

  private EmbeddedCluster(
      EmbeddedApiServer apiServer,
      KubernetesClient client,
      JobController controller,
      ProcessKubelet kubelet) {
    this.apiServer = apiServer;
    this.client = client;
    this.controller = controller;
    this.kubelet = kubelet;
  }

  /**
   * What a cluster is made of.
   *
   * @param port where the API server listens; 0 for any that is free
   * @param data folder for pods and claims
   * @param claims folders of claims that lie elsewhere, by name
   * @param images what takes the place of container images
   * @param node the machine
   */
  public record Options(
      int port, Path data, Map<String, Path> claims, LocalImages images, Node node) {
    /** A defensive copy. */
    public Options {
      claims = Map.copyOf(claims);
    }
  }

  /** Starts it. */
  public static EmbeddedCluster start(Options options) {
    EmbeddedApiServer apiServer = EmbeddedApiServer.start(options.port());
    KubernetesClient client = apiServer.client();
    Clock clock = Clock.systemUTC();
    JobController controller = new JobController(client, clock);
    ProcessKubelet kubelet =
        new ProcessKubelet(
            client, options.node(), options.images(), options.data(), options.claims(), clock);
    controller.start();
    kubelet.start();
    return new EmbeddedCluster(apiServer, client, controller, kubelet);
  }

  /** Where the API server listens. */
  public String url() {
    return apiServer.url();
  }

  /** A client that lives as long as the cluster. */
  public KubernetesClient client() {
    return client;
  }

  /** Ends every pod's process, then the rest. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    controller.close();
    kubelet.close();
    client.close();
    apiServer.close();
  }
}
