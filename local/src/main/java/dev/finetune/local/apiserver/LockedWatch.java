package dev.finetune.local.apiserver;

import io.fabric8.mockwebserver.http.Response;
import io.fabric8.mockwebserver.http.WebSocket;
import io.fabric8.mockwebserver.http.WebSocketListener;

/**
 * A watch of the mock's that holds the API server's lock while it sends what is there already. The
 * mock walks over its objects for that under a lock of its own, which our writes don't take.
 */
final class LockedWatch extends WebSocketListener {
  private final WebSocketListener watch;
  private final Object lock;

  LockedWatch(WebSocketListener watch, Object lock) {
    this.watch = watch;
    this.lock = lock;
  }

  @Override
  public void onOpen(WebSocket socket, Response response) {
    synchronized (lock) {
      watch.onOpen(socket, response);
    }
  }

  @Override
  public void onMessage(WebSocket socket, String text) {
    watch.onMessage(socket, text);
  }

  @Override
  public void onMessage(WebSocket socket, byte[] bytes) {
    watch.onMessage(socket, bytes);
  }

  @Override
  public void onClosing(WebSocket socket, int code, String reason) {
    watch.onClosing(socket, code, reason);
  }

  @Override
  public void onClosed(WebSocket socket, int code, String reason) {
    watch.onClosed(socket, code, reason);
  }

  @Override
  public void onFailure(WebSocket socket, Throwable error, Response response) {
    watch.onFailure(socket, error, response);
  }
}
