package dev.finetune.operator;

import com.sun.net.httpserver.HttpServer;
import dev.finetune.api.v1alpha1.Progress;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** Serves a progress that the test sets, as a trainer's pod does. */
public final class FakeTrainer implements AutoCloseable {
  private final HttpServer server;
  private final AtomicInteger asked = new AtomicInteger();
  private volatile Progress progress = Progress.NONE;

  /** Starts to serve. */
  public FakeTrainer() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext(
        Progress.PATH,
        exchange -> {
          asked.incrementAndGet();
          byte[] answer = Serialization.asJson(progress).getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
  }

  /** Where it listens on this machine. */
  public int port() {
    return server.getAddress().getPort();
  }

  /** How often its progress was read. */
  public int asked() {
    return asked.get();
  }

  /** What it answers from now on. */
  public void says(Progress next) {
    progress = next;
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
