package dev.finetune.operator;

import dev.finetune.api.v1alpha1.FineTuneJob;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.net.HttpURLConnection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An API server in the test's process. It stores objects, and knows no schema, no defaults, no
 * garbage collection and no controllers: the test plays those that it needs.
 */
public class MockApiServer implements QuarkusTestResourceLifecycleManager {
  /** Requests that wrote a FineTuneJob's status, by its name. */
  private static final Map<String, Integer> STATUS_WRITES = new ConcurrentHashMap<>();

  private KubernetesMockServer server;

  @Override
  public Map<String, String> start() {
    server =
        new KubernetesMockServer(
            new io.fabric8.mockwebserver.Context(),
            new MockWebServer(),
            new HashMap<>(),
            new Dispatcher(
                List.of(CustomResourceDefinitionContext.fromCustomResourceType(FineTuneJob.class))),
            false);
    server.init();
    return Map.of(
        "quarkus.kubernetes-client.api-server-url", "http://localhost:" + server.getPort());
  }

  @Override
  public void stop() {
    server.destroy();
  }

  /** How often the status of a FineTuneJob was written, also to what it was. */
  static int statusWrites(String name) {
    return STATUS_WRITES.getOrDefault(name, 0);
  }

  /** Counts writes of a status, and answers where the mock would mislead the operator. */
  private static final class Dispatcher extends KubernetesCrudDispatcher {
    Dispatcher(List<CustomResourceDefinitionContext> resources) {
      super(resources);
    }

    /**
     * The mock knows no field but metadata.name, and answers a selector for another with nothing.
     */
    @Override
    public MockResponse handleGet(String path) {
      if (path.contains("/proxy/")) {
        // The mock would answer with some object, and the operator take it for the way to the pod.
        return new MockResponse().setResponseCode(HttpURLConnection.HTTP_UNAVAILABLE);
      }
      return super.handleGet(path.replaceAll("fieldSelector=involvedObject[^&]*", ""));
    }

    @Override
    public MockResponse handleUpdate(RecordedRequest request) {
      String path = request.getPath().replaceAll("\\?.*", "");
      if (path.contains("/finetunejobs/") && path.endsWith("/status")) {
        STATUS_WRITES.merge(path.replaceAll(".*/finetunejobs/|/status$", ""), 1, Integer::sum);
      }
      return super.handleUpdate(request);
    }
  }
}
