package dev.finetune.operator;

import dev.finetune.api.v1alpha1.FineTuneJob;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.dsl.HttpMethod;
import io.fabric8.mockwebserver.http.Buffer;
import io.fabric8.mockwebserver.http.Headers;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
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
  private static final Map<String, Integer> PATCHES = new ConcurrentHashMap<>();

  private KubernetesMockServer server;

  @Override
  public Map<String, String> start() {
    server =
        new KubernetesMockServer(
            new io.fabric8.mockwebserver.Context(),
            new MockWebServer(),
            new HashMap<>(),
            new ApplyDispatcher(
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

  static int patches(String name) {
    return PATCHES.getOrDefault(name, 0);
  }

  /** Adds server-side apply, which the mock answers with 415: the patch is merged and stored. */
  private static final class ApplyDispatcher extends KubernetesCrudDispatcher {
    ApplyDispatcher(List<CustomResourceDefinitionContext> resources) {
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
    public MockResponse handlePatch(RecordedRequest request) {
      if (!String.valueOf(request.getHeader("Content-Type"))
          .startsWith("application/apply-patch")) {
        return super.handlePatch(request);
      }
      String path = request.getPath().replaceAll("\\?.*", "");
      var stored = findResource(getKey(path));
      if (stored == null) {
        return super.handlePatch(request);
      }
      if (path.contains("/finetunejobs/") && path.endsWith("/status")) {
        PATCHES.merge(path.replaceAll(".*/finetunejobs/|/status$", ""), 1, Integer::sum);
      }
      Map<String, Object> object = map(stored.getValue());
      merge(object, map(request.getUtf8Body()));
      ((Map<?, ?>) object.get("metadata")).remove("resourceVersion");
      var body = Serialization.asJson(object).getBytes(StandardCharsets.UTF_8);
      return handleUpdate(
          new RecordedRequest(
              request.getHttpVersion(),
              HttpMethod.PUT,
              path,
              Headers.builder().add("Content-Type", "application/json").build(),
              new Buffer(body)));
    }

    @SuppressWarnings("unchecked") // JSON objects are maps by name.
    private static Map<String, Object> map(String json) {
      return Serialization.unmarshal(json, Map.class);
    }

    @SuppressWarnings("unchecked") // As above.
    private static void merge(Map<String, Object> target, Map<String, Object> patch) {
      patch.forEach(
          (key, value) -> {
            if (value instanceof Map && target.get(key) instanceof Map) {
              merge((Map<String, Object>) target.get(key), (Map<String, Object>) value);
            } else {
              target.put(key, value);
            }
          });
    }
  }
}
