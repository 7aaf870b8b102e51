package dev.finetune.local;

import io.quarkus.runtime.Quarkus;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/** The operator, a Quarkus application, in this process and pointed at the embedded API server. */
final class OperatorThread implements AutoCloseable {
  private final Thread thread;
  private final AtomicReference<String> failure;
  private final AtomicBoolean stopping = new AtomicBoolean();

  private OperatorThread(Thread thread, AtomicReference<String> failure) {
    this.thread = thread;
    this.failure = failure;
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stopping.set(true)));
  }

  /**
   * Starts it. It is ready some seconds later; what is applied before is found then.
   *
   * @param apiServer the API server's URL
   * @param log where the operator's log goes
   */
  static OperatorThread start(String apiServer, Path log) {
    settings(apiServer, log).forEach(System::setProperty);
    AtomicReference<String> failure = new AtomicReference<>();
    Thread thread =
        new Thread(
            () ->
                Quarkus.run(
                    null,
                    (code, error) -> {
                      if (error != null) {
                        failure.set(String.valueOf(error.getMessage()));
                      }
                    }),
            "operator");
    thread.start();
    return new OperatorThread(thread, failure);
  }

  /** As system properties, because Quarkus and the Kubernetes client read them when they start. */
  private static Map<String, String> settings(String apiServer, Path log) {
    return Map.of(
        "kubernetes.master", apiServer,
        // A kubeconfig of this machine means another cluster.
        "kubernetes.auth.tryKubeConfig", "false",
        "kubernetes.auth.tryServiceAccount", "false",
        "kubernetes.namespace", "default",
        "quarkus.log.file.path", log.toAbsolutePath().toString());
  }

  /** Whether a signal ends this process. */
  boolean stopping() {
    return stopping.get();
  }

  /** Why it ended, if it ended by itself. */
  Optional<String> failure() {
    return thread.isAlive() || stopping()
        ? Optional.empty()
        : Optional.of(Optional.ofNullable(failure.get()).orElse("it stopped"));
  }

  @Override
  public void close() {
    Quarkus.asyncExit();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
