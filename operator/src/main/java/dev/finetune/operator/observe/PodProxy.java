package dev.finetune.operator.observe;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Reads from a pod through the API server, which asks for the permission {@code get pods/proxy}.
 */
final class PodProxy {
  private final KubernetesClient client;
  private final Duration timeout;
  private final int limit;

  PodProxy(KubernetesClient client, Duration timeout, int limit) {
    this.client = client;
    this.timeout = timeout;
    this.limit = limit;
  }

  /**
   * Reads a path of a pod.
   *
   * @return empty where it can't be read in time, or is longer than the limit
   */
  Optional<byte[]> get(Pod pod, int port, String path) throws InterruptedException {
    var body = new ByteArrayOutputStream();
    CompletableFuture<HttpResponse<AsyncBody>> answer = request(uri(pod, port, path), body);
    try {
      HttpResponse<AsyncBody> response = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      response.body().consume();
      response.body().done().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      boolean whole = response.isSuccessful() && body.size() <= limit;
      return whole ? Optional.of(body.toByteArray()) : Optional.empty();
    } catch (ExecutionException | TimeoutException e) {
      answer.cancel(true);
      return Optional.empty();
    }
  }

  private CompletableFuture<HttpResponse<AsyncBody>> request(URI uri, ByteArrayOutputStream body) {
    HttpClient http = client.getHttpClient();
    return http.consumeBytes(
        http.newHttpRequestBuilder().uri(uri).build(),
        (buffers, rest) -> {
          append(buffers, body);
          if (body.size() > limit) {
            rest.cancel();
          } else {
            rest.consume();
          }
        });
  }

  private static void append(List<ByteBuffer> buffers, ByteArrayOutputStream body) {
    for (ByteBuffer buffer : buffers) {
      byte[] part = new byte[buffer.remaining()];
      buffer.get(part);
      body.writeBytes(part);
    }
  }

  private URI uri(Pod pod, int port, String path) {
    // Appended, not resolved: the API server's own address may have a path.
    String server = client.getMasterUrl().toString().replaceAll("/+$", "");
    return URI.create(
        server
            + "/api/v1/namespaces/%s/pods/%s:%d/proxy%s"
                .formatted(
                    pod.getMetadata().getNamespace(), pod.getMetadata().getName(), port, path));
  }
}
