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
import java.util.concurrent.TimeUnit;

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
   * @return empty where it can't be read in time, or is longer than the limit; never completes
   *     exceptionally
   */
  CompletableFuture<Optional<byte[]>> get(Pod pod, int port, String path) {
    var body = new ByteArrayOutputStream();
    CompletableFuture<HttpResponse<AsyncBody>> answer = request(uri(pod, port, path), body);
    return answer
        .thenCompose(PodProxy::whole)
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .handle(
            (successful, failure) -> {
              answer.cancel(true);
              return failure == null && successful && body.size() <= limit
                  ? Optional.of(body.toByteArray())
                  : Optional.empty();
            });
  }

  /** Whether it is a good answer, once it is there to its end. */
  private static CompletableFuture<Boolean> whole(HttpResponse<AsyncBody> response) {
    response.body().consume();
    return response.body().done().thenApply(nothing -> response.isSuccessful());
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
