package dev.finetune.operator.observe;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.config.OperatorConfig;
import dev.finetune.operator.resources.TrainerContainer;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/**
 * Asks the trainer over HTTP at its pod's address, and through the API server's pod proxy where the
 * operator is outside of the pod network, as it is when it runs on a developer's machine.
 */
@ApplicationScoped
public class HttpProgressSource implements ProgressSource {
  private static final Logger LOG = Logger.getLogger(HttpProgressSource.class);

  /** More than any trainer says; a pod must not be able to fill the operator's memory. */
  private static final int LARGEST_ANSWER = 4 << 20;

  /** Unknown properties are let pass: a job may run a newer trainer's image. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final KubernetesClient client;
  private final Duration timeout;
  private final HttpClient http;

  /** Set once pod addresses turned out to be out of reach, so that the wait is paid only once. */
  private volatile boolean throughProxy;

  HttpProgressSource(KubernetesClient client, OperatorConfig config) {
    this.client = client;
    this.timeout = config.progress().timeout();
    // HTTP/1.1: an upgrade to HTTP/2 is of no use for one small answer.
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  @Override
  public Optional<Progress> progress(Pod pod) {
    Optional<byte[]> answer = throughProxy ? Optional.empty() : direct(pod);
    if (answer.isEmpty()) {
      answer = proxied(pod);
      throughProxy |= answer.isPresent();
    }
    return answer.flatMap(bytes -> parse(pod, bytes));
  }

  private Optional<byte[]> direct(Pod pod) {
    String ip = pod.getStatus().getPodIP();
    String host = ip.contains(":") ? "[" + ip + "]" : ip;
    var request =
        HttpRequest.newBuilder(URI.create("http://" + host + ":" + port(pod) + Progress.PATH))
            .timeout(timeout)
            .build();
    CompletableFuture<HttpResponse<byte[]>> response =
        http.sendAsync(request, info -> new LimitedBody(LARGEST_ANSWER));
    try {
      return Optional.of(response.get(timeout.toMillis(), TimeUnit.MILLISECONDS))
          .filter(each -> each.statusCode() == 200)
          .map(HttpResponse::body);
    } catch (ExecutionException | TimeoutException e) {
      LOG.debugf("no progress from %s at %s: %s", pod.getMetadata().getName(), host, e);
      response.cancel(true);
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private Optional<byte[]> proxied(Pod pod) {
    String path =
        "/api/v1/namespaces/%s/pods/%s:%d/proxy%s"
            .formatted(
                pod.getMetadata().getNamespace(),
                pod.getMetadata().getName(),
                port(pod),
                Progress.PATH);
    try {
      return Optional.ofNullable(client.raw(path))
          .map(text -> text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    } catch (KubernetesClientException e) {
      LOG.debugf("no progress from %s by proxy: %s", pod.getMetadata().getName(), e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<Progress> parse(Pod pod, byte[] answer) {
    try {
      return Optional.ofNullable(JSON.readValue(answer, Progress.class));
    } catch (IOException e) {
      LOG.warnf("%s answered something else than progress: %s", pod.getMetadata().getName(), e);
      return Optional.empty();
    }
  }

  private static int port(Pod pod) {
    return pod.getSpec().getContainers().stream()
        .filter(container -> TrainerContainer.NAME.equals(container.getName()))
        .flatMap(container -> container.getPorts().stream())
        .filter(port -> TrainerContainer.PROGRESS_PORT.equals(port.getName()))
        .map(ContainerPort::getContainerPort)
        .findFirst()
        .orElse(Progress.PORT);
  }
}
