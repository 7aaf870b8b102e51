package dev.finetune.operator.support;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The packaged operator as a process of its own, as it runs in a cluster. */
public final class OperatorProcess implements AutoCloseable {
  /** The packaged operator, seen from any module's folder. */
  public static final Path JAR = Path.of("../operator/target/quarkus-app/quarkus-run.jar");

  private static final Path LOGS = Path.of("target/operator-logs");
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final HttpClient http = HttpClient.newHttpClient();
  private final String name;
  private final Process process;
  private final int port;

  private OperatorProcess(String name, Process process, int port) {
    this.name = name;
    this.process = process;
    this.port = port;
  }

  /**
   * Starts it and waits until it answers.
   *
   * @param name of its log in target/operator-logs
   * @param kubeconfig how it reaches the API server
   * @param settings environment variables of the operator's configuration
   */
  public static OperatorProcess start(
      String name, String kubeconfig, Map<String, String> settings) {
    if (!Files.exists(JAR)) {
      throw new IllegalStateException(
          JAR + " is not there; build it with: mvn -pl operator -am package -DskipTests");
    }
    try {
      Files.createDirectories(LOGS);
      Path file = Files.writeString(LOGS.resolve(name + ".kubeconfig"), kubeconfig);
      int port = freePort();
      var environment = new HashMap<>(settings);
      environment.put("KUBECONFIG", file.toAbsolutePath().toString());
      environment.put("QUARKUS_HTTP_HOST", "127.0.0.1");
      environment.put("QUARKUS_HTTP_PORT", String.valueOf(port));
      environment.put("FINETUNE_PROGRESS_INTERVAL", "1s");
      var builder =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-XX:+UseSerialGC",
                  "-Xmx256m",
                  "-jar",
                  JAR.toString())
              .redirectErrorStream(true)
              .redirectOutput(LOGS.resolve(name + ".log").toFile());
      builder.environment().putAll(environment);
      var operator = new OperatorProcess(name, builder.start(), port);
      operator.awaitAnswer();
      return operator;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private void awaitAnswer() {
    await("operator " + name + " answers; its log is in " + LOGS)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .until(() -> !process.isAlive() || status("/q/health/live") == 200);
    if (!process.isAlive()) {
      throw new IllegalStateException(
          "operator " + name + " ended with exit code " + process.exitValue() + ":\n" + log());
    }
  }

  /** Waits until its pod would count as ready. */
  public OperatorProcess awaitReady() {
    await("operator " + name + " is ready; its log is in " + LOGS)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .until(() -> status("/q/health/ready") == 200);
    return this;
  }

  /** Where its health and its metrics are served, without a path. */
  public String url() {
    return "http://127.0.0.1:" + port;
  }

  /** Whether the process runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** SIGTERM; returns the exit code, as a shell would show it. */
  public int terminate() {
    process.destroy();
    return awaitEnd();
  }

  /** SIGKILL; returns the exit code. */
  public int kill() {
    process.destroyForcibly();
    return awaitEnd();
  }

  /** Waits for it to end by itself; returns the exit code. */
  public int awaitEnd() {
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("operator " + name + " still runs after " + PATIENCE);
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** What it printed so far. */
  public String log() {
    try {
      return Files.readString(LOGS.resolve(name + ".log"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The sum of all series of a meter.
   *
   * @param meter its name as Prometheus reads it
   */
  public double meter(String meter) {
    return get("/q/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(meter + " ") || line.startsWith(meter + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /** The HTTP status of one of its own endpoints; 0 while nobody listens. */
  public int status(String path) {
    try {
      return get(path).statusCode();
    } catch (UncheckedIOException e) {
      return 0;
    }
  }

  private HttpResponse<String> get(String path) {
    try {
      var request = HttpRequest.newBuilder(URI.create(url() + path)).build();
      return http.send(request, BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
  }
}
