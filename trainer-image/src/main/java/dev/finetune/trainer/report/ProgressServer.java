package dev.finetune.trainer.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.finetune.api.v1alpha1.Progress;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Serves progress over HTTP: GET /progress as JSON, /metrics for Prometheus, /healthz. */
public final class ProgressServer implements Closeable {
  private static final int THREADS = 2;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final ExecutorService threads;

  private ProgressServer(HttpServer server, ExecutorService threads) {
    this.server = server;
    this.threads = threads;
  }

  /**
   * Starts to serve.
   *
   * @param address where to listen; port 0 takes a free one
   * @param run what is known
   * @throws IOException if the address can't be listened on
   */
  public static ProgressServer start(InetSocketAddress address, ProgressTracker run)
      throws IOException {
    HttpServer server = HttpServer.create(address, 0);
    ExecutorService threads =
        Executors.newFixedThreadPool(
            THREADS,
            work -> {
              Thread thread = new Thread(work, "progress-server");
              thread.setDaemon(true);
              return thread;
            });
    server.setExecutor(threads);
    serve(server, Progress.PATH, "application/json", () -> JSON.writeValueAsString(run.progress()));
    serve(
        server,
        "/metrics",
        PrometheusText.CONTENT_TYPE,
        () -> PrometheusText.of(run.progress(), run.rankSpeeds()));
    serve(server, "/healthz", "text/plain; charset=utf-8", () -> "ok\n");
    server.start();
    return new ProgressServer(server, threads);
  }

  /** The port that is listened on. */
  public int port() {
    return server.getAddress().getPort();
  }

  private interface Body {
    String text() throws IOException;
  }

  private static void serve(HttpServer server, String path, String contentType, Body body) {
    server.createContext(
        path,
        exchange -> {
          try (exchange) {
            answer(exchange, path, contentType, body);
          }
        });
  }

  private static void answer(HttpExchange exchange, String path, String contentType, Body body)
      throws IOException {
    // A context of the JDK's server also gets the paths that begin with its own.
    if (!exchange.getRequestURI().getPath().equals(path)) {
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    if (!exchange.getRequestMethod().equals("GET")) {
      exchange.getResponseHeaders().set("Allow", "GET");
      exchange.sendResponseHeaders(405, -1);
      return;
    }
    byte[] bytes = body.text().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", contentType);
    exchange.sendResponseHeaders(200, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdown();
  }
}
