package dev.finetune.operator.observe;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.operator.config.Daemons;
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
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/**
 * Asks the trainer over HTTP at its pod's address, and through the API server's pod proxy where the
 * operator can't reach the pods of a namespace: on a developer's machine, or behind a
 * NetworkPolicy.
 *
 * <p>Which way leads to a namespace's pods is learned once. Until it is known, at most one question
 * a second goes through the proxy as well, so that a thousand pods that nobody can reach, or whose
 * trainers are still starting, cost the API server next to nothing.
 */
@ApplicationScoped
public class HttpProgressSource implements ProgressSource {
  private static final Logger LOG = Logger.getLogger(HttpProgressSource.class);

  /** More than any trainer says; a pod must not be able to fill the operator's memory. */
  private static final int LARGEST_ANSWER = 4 << 20;

  /** Enough, as none of them ever waits. */
  private static final int THREADS = 2;

  /** Unknown properties are let pass: a job may run a newer trainer's image. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private enum Way {
    DIRECT,
    PROXY
  }

  private final PodProxy proxy;
  private final Duration timeout;
  private final HttpClient http;
  private final Clock clock;

  /** The way that led to a pod of the namespace. */
  private final Map<String, Way> ways = new ConcurrentHashMap<>();

  private final Pace detours = new Pace(1);

  HttpProgressSource(KubernetesClient client, OperatorConfig config, Clock clock) {
    this.timeout = config.progress().timeout();
    this.clock = clock;
    this.proxy = new PodProxy(client, timeout, LARGEST_ANSWER);
    // HTTP/1.1: an upgrade to HTTP/2 is of no use for one small answer. Half of the time to connect
    // tells an address that is out of reach from a trainer that is slow to answer.
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout.dividedBy(2))
            .executor(Executors.newFixedThreadPool(THREADS, Daemons.named("progress")))
            .build();
  }

  @Override
  public CompletableFuture<Answer> ask(Pod pod) {
    return ways.get(pod.getMetadata().getNamespace()) == Way.PROXY ? proxied(pod) : direct(pod);
  }

  private CompletableFuture<Answer> direct(Pod pod) {
    CompletableFuture<HttpResponse<byte[]>> response =
        http.sendAsync(request(pod), info -> new LimitedBody(LARGEST_ANSWER));
    return response
        .copy()
        .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete((answer, failure) -> response.cancel(true))
        .thenApply(answer -> answered(pod, answer))
        .exceptionallyCompose(failure -> failed(pod, failure));
  }

  private Answer answered(Pod pod, HttpResponse<byte[]> response) {
    ways.put(pod.getMetadata().getNamespace(), Way.DIRECT);
    return response.statusCode() == 200 ? parse(pod, response.body()) : Answer.SILENT;
  }

  private CompletableFuture<Answer> failed(Pod pod, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    LOG.debugf("no progress from %s: %s", pod.getMetadata().getName(), cause);
    boolean dropped = cause instanceof HttpConnectTimeoutException;
    if (dropped || cause instanceof ConnectException) {
      return detour(pod, dropped);
    }
    // Half of the time was given to connect, so it did.
    boolean connected = cause instanceof TimeoutException;
    return CompletableFuture.completedFuture(connected ? Answer.SILENT : Answer.UNREACHABLE);
  }

  /**
   * Asks through the proxy, if that may be the way.
   *
   * @param dropped whether the address kept silent; one that refuses is more likely a trainer that
   *     is still starting, and its answer by the proxy a moment later would prove nothing
   */
  private CompletableFuture<Answer> detour(Pod pod, boolean dropped) {
    String namespace = pod.getMetadata().getNamespace();
    if (ways.containsKey(namespace) || !detours.tryNow(clock.instant())) {
      return CompletableFuture.completedFuture(Answer.UNREACHABLE);
    }
    return proxied(pod)
        .whenComplete(
            (answer, failure) -> {
              if (dropped && answer.reached()) {
                ways.putIfAbsent(namespace, Way.PROXY);
              }
            });
  }

  private HttpRequest request(Pod pod) {
    String ip = pod.getStatus().getPodIP();
    String host = ip.contains(":") ? "[" + ip + "]" : ip;
    return HttpRequest.newBuilder(URI.create("http://" + host + ":" + port(pod) + Progress.PATH))
        .build();
  }

  /** A proxy that doesn't answer doesn't say whose fault it is. */
  private CompletableFuture<Answer> proxied(Pod pod) {
    return proxy
        .get(pod, port(pod), Progress.PATH)
        .thenApply(answer -> answer.map(bytes -> parse(pod, bytes)).orElse(Answer.UNREACHABLE));
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
