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
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
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

  private final PodProxy proxy;
  private final Duration timeout;
  private final HttpClient http;

  /** Set once a pod's address kept silent and the proxy answered, so that the wait is paid once. */
  private volatile boolean outsideOfPodNetwork;

  HttpProgressSource(KubernetesClient client, OperatorConfig config) {
    this.timeout = config.progress().timeout();
    this.proxy = new PodProxy(client, timeout, LARGEST_ANSWER);
    // HTTP/1.1: an upgrade to HTTP/2 is of no use for one small answer. Half of the time to connect
    // tells an address that is out of reach from a trainer that is slow to answer.
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout.dividedBy(2))
            .build();
  }

  @Override
  public Answer progress(Pod pod) {
    try {
      return outsideOfPodNetwork ? proxied(pod) : direct(pod);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Answer.UNREACHABLE;
    }
  }

  private Answer direct(Pod pod) throws InterruptedException {
    CompletableFuture<HttpResponse<byte[]>> response =
        http.sendAsync(request(pod), info -> new LimitedBody(LARGEST_ANSWER));
    try {
      HttpResponse<byte[]> answer = response.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return answer.statusCode() == 200 ? parse(pod, answer.body()) : Answer.SILENT;
    } catch (ExecutionException e) {
      LOG.debugf("no progress from %s: %s", pod.getMetadata().getName(), e.getCause());
      boolean silent = e.getCause() instanceof HttpConnectTimeoutException;
      if (!silent && !(e.getCause() instanceof ConnectException)) {
        return e.getCause() instanceof HttpTimeoutException ? Answer.SILENT : Answer.UNREACHABLE;
      }
      Answer answer = proxied(pod);
      outsideOfPodNetwork |= silent && answer.reached();
      return answer;
    } catch (TimeoutException e) {
      LOG.debugf("no progress from %s in %s", pod.getMetadata().getName(), timeout);
      response.cancel(true);
      // Half of this time was given to connect, so it did.
      return Answer.SILENT;
    }
  }

  private HttpRequest request(Pod pod) {
    String ip = pod.getStatus().getPodIP();
    String host = ip.contains(":") ? "[" + ip + "]" : ip;
    return HttpRequest.newBuilder(URI.create("http://" + host + ":" + port(pod) + Progress.PATH))
        .timeout(timeout)
        .build();
  }

  /** A proxy that doesn't answer doesn't say whose fault it is. */
  private Answer proxied(Pod pod) throws InterruptedException {
    return proxy
        .get(pod, port(pod), Progress.PATH)
        .map(answer -> parse(pod, answer))
        .orElse(Answer.UNREACHABLE);
  }

  private static Answer parse(Pod pod, byte[] answer) {
    try {
      Progress progress = JSON.readValue(answer, Progress.class);
      return progress == null ? Answer.SILENT : new Answer(true, progress);
    } catch (IOException e) {
      LOG.warnf("%s answered something else than progress: %s", pod.getMetadata().getName(), e);
      return Answer.SILENT;
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
