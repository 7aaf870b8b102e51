package dev.finetune.local.kubelet;

import dev.finetune.local.kubelet.PodLauncher.Launched;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** One pod from its binding to its end; tells the API server each state on the way. */
final class PodRun implements Runnable {
  private static final Logger LOG = Logger.getLogger(PodRun.class);
  private static final int RETRY_MILLIS = 500;

  private final PodLauncher launcher;
  private final KubernetesClient client;
  private final Pod pod;
  private final Container container;
  private final Clock clock;

  private final CountDownLatch stopping = new CountDownLatch(1);

  /** Guarded by this. */
  private PodProcess process;

  PodRun(PodLauncher launcher, KubernetesClient client, Pod pod, Clock clock) {
    this.launcher = launcher;
    this.client = client;
    this.pod = pod;
    this.container = PodLauncher.container(pod);
    this.clock = clock;
  }

  @Override
  public void run() {
    try {
      Optional<Launched> launched = launch();
      if (launched.isPresent()) {
        attend(launched.get());
      }
      removeIfDeleted();
    } catch (InterruptedException e) {
      // The cluster ends, and there is nobody left to tell.
      Thread.currentThread().interrupt();
    } catch (IOException | KubernetesClientException e) {
      LOG.errorf(e, "pod %s", pod.getMetadata().getName());
      write(PodStatuses.neverStarted(e.getMessage()));
    }
  }

  /**
   * Ends the pod's process, or keeps it from starting.
   *
   * @return done when nothing of it runs any more
   */
  synchronized CompletableFuture<Void> stop(Duration gracePeriod) {
    stopping.countDown();
    return process == null || !process.runs()
        ? CompletableFuture.completedFuture(null)
        : process.stop(gracePeriod);
  }

  /** Tries until it succeeds; empty where the pod was deleted before. */
  private Optional<Launched> launch() throws IOException, InterruptedException {
    do {
      try {
        return launchUnlessStopped();
      } catch (MountException e) {
        write(PodStatuses.waiting(container, "CreateContainerError", e.getMessage(), now()));
      }
    } while (!stopping.await(RETRY_MILLIS, TimeUnit.MILLISECONDS));
    return Optional.empty();
  }

  private synchronized Optional<Launched> launchUnlessStopped() throws IOException, MountException {
    if (stopping.getCount() == 0) {
      return Optional.empty();
    }
    Launched launched = launcher.launch(pod);
    process = launched.process();
    return Optional.of(launched);
  }

  private void attend(Launched launched) throws IOException, InterruptedException {
    PodStatus running = PodStatuses.running(container, launched.address(), now());
    write(running);
    int exitCode = launched.process().exitCode();
    String words = launched.folder().lastWords(container, exitCode);
    write(PodStatuses.terminated(running, container, exitCode, words, now()));
  }

  private void write(PodStatus status) {
    Pod live = client.resource(pod).get();
    while (live != null) {
      live.setStatus(status);
      try {
        client.resource(live).updateStatus();
        return;
      } catch (KubernetesClientException e) {
        if (e.getCode() != HttpURLConnection.HTTP_CONFLICT
            && e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
          throw e;
        }
        // Somebody marked it for deletion in between, or removed it.
        live = client.resource(pod).get();
      }
    }
    LOG.infof("pod %s was removed before its end", pod.getMetadata().getName());
  }

  /** A deleted pod goes once its process has; until then its end can be read. */
  private void removeIfDeleted() {
    Pod live = client.resource(pod).get();
    if (live != null && live.getMetadata().getDeletionTimestamp() != null) {
      client.resource(pod).withGracePeriod(0).delete();
    }
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS);
  }
}
