package dev.finetune.local.apiserver;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.net.InetAddress;
import java.time.Clock;
import java.util.HashMap;

/** The API server. It listens on the loopback address only, and asks nobody who they are. */
public final class EmbeddedApiServer implements AutoCloseable {
  /** The namespace of manifests that name none. */
  public static final String NAMESPACE = "default";

  private final KubernetesMockServer server;

  private EmbeddedApiServer(KubernetesMockServer server) {
    this.server = server;
  }

  /**
   * Starts it.
   *
   * @param port where it listens; 0 for any that is free
   */
  public static EmbeddedApiServer start(int port) {
    var server =
        new KubernetesMockServer(
            new Context(),
            new MockWebServer(),
            new HashMap<>(),
            new ApiDispatcher(Clock.systemUTC()),
            /* useHttps= */ false);
    server.init(InetAddress.getLoopbackAddress(), port);
    return new EmbeddedApiServer(server);
  }

  /** Where it listens, as {@code http://127.0.0.1:PORT}. */
  public String url() {
    return "http://127.0.0.1:" + server.getPort();
  }

  /** A client of it; whoever asks closes it. */
  public KubernetesClient client() {
    // Empty: a kubeconfig of the machine must not have a say.
    Config config =
        new ConfigBuilder(Config.empty())
            .withMasterUrl(url())
            .withNamespace(NAMESPACE)
            .withHttp2Disable(true)
            .build();
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  @Override
  public void close() {
    server.destroy();
  }
}
