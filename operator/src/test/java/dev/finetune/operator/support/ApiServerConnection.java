package dev.finetune.operator.support;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The way of one operator to the API server, which a test can cut: then its connections break and
 * new ones are refused, as while the API server is down.
 */
public final class ApiServerConnection implements AutoCloseable {
  private final URI target;
  private final int port;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private ServerSocket listener;

  /**
   * Opens the way.
   *
   * @param url the API server's
   */
  public ApiServerConnection(String url) {
    this.target = URI.create(url);
    this.listener = listen(0);
    this.port = listener.getLocalPort();
  }

  /** A kubeconfig of the API server itself, changed to take this way. */
  public String through(String kubeconfig) {
    return kubeconfig.replace(":" + target.getPort(), ":" + port);
  }

  /** Takes the API server away. */
  public synchronized void cut() {
    close(listener);
    open.forEach(ApiServerConnection::close);
    open.clear();
  }

  /** Brings the API server back, at the same address. */
  public synchronized void restore() {
    listener = listen(port);
  }

  @Override
  public void close() {
    cut();
  }

  private ServerSocket listen(int atPort) {
    try {
      var socket = new ServerSocket();
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), atPort));
      start(() -> accept(socket));
      return socket;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocket socket) {
    while (!socket.isClosed()) {
      try {
        Socket from = socket.accept();
        Socket to = new Socket(target.getHost(), target.getPort());
        open.add(from);
        open.add(to);
        start(() -> copy(from, to));
        start(() -> copy(to, from));
      } catch (IOException e) {
        // The listener was closed, or the API server itself is gone: the client sees a broken
        // connection, which is what this class is for.
      }
    }
  }

  private void copy(Socket from, Socket to) {
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      in.transferTo(out);
    } catch (IOException e) {
      // One side closed the connection; so does the other now.
    } finally {
      close(from);
      close(to);
      open.remove(from);
      open.remove(to);
    }
  }

  private static void start(Runnable task) {
    var thread = new Thread(task, "api-server-connection");
    thread.setDaemon(true);
    thread.start();
  }

  private static void close(Closeable socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
