package dev.finetune.e2e.harness;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Waits whose failure tells what is in the namespace, since nobody can look afterwards. */
final class Waits {
  private final KubernetesClient client;
  private final String namespace;

  Waits(KubernetesClient client, String namespace) {
    this.client = client;
    this.namespace = namespace;
  }

  /**
   * Waits until what is read fulfils an assertion, and returns it. An API server that doesn't
   * answer is asked again.
   */
  <T> T until(String what, Duration patience, Supplier<T> read, Consumer<T> assertion) {
    var last = new AtomicReference<T>();
    try {
      Awaitility.await(what)
          .atMost(patience)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(300))
          .ignoreExceptionsInstanceOf(KubernetesClientException.class)
          .untilAsserted(
              () -> {
                last.set(read.get());
                assertion.accept(last.get());
              });
      return last.get();
    } catch (ConditionTimeoutException | EndedException e) {
      throw new AssertionError(e.getMessage() + "\n\n" + Evidence.of(client, namespace), e);
    }
  }

  /** What is waited for will not come any more. */
  static final class EndedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    EndedException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
