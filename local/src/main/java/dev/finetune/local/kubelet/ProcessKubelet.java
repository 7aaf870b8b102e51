package dev.finetune.local.kubelet;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** The node's agent: every pod that is bound to it gets a process, as long as the pod is wanted. */
public final class ProcessKubelet implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(ProcessKubelet.class);

  /** Longest wait for processes when the cluster ends. */
  private static final Duration FAREWELL = Duration.ofSeconds(20);

  /** Longest wait for the statuses that follow. */
  private static final Duration LAST_WRITES = Duration.ofSeconds(5);

  private static final int RETRY_MILLIS = 500;

  private final KubernetesClient client;
  private final Node node;
  private final Scheduler scheduler;
  private final PodLauncher launcher;
  private final Clock clock;

  /** The pods that were taken on, by uid. */
  private final Map<String, PodRun> runs = new ConcurrentHashMap<>();

  private final ExecutorService scheduling =
      Executors.newSingleThreadExecutor(task -> new Thread(task, "scheduler"));
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /**
   * Makes a kubelet that {@link #start} starts.
   *
   * @param client stays the caller's to close
   * @param data where the folders of pods and of claims lie
   * @param claims folders of claims that lie elsewhere, by name
   */
  public ProcessKubelet(
      KubernetesClient client,
      Node node,
      LocalImages images,
      Path data,
      Map<String, Path> claims,
      Clock clock) {
    this.client = client;
    this.node = node;
    this.clock = clock;
    this.scheduler = new Scheduler(client, node, clock);
    this.launcher =
        new PodLauncher(
            client,
            images,
            new PodVolumes(client, data.resolve("volumes"), claims),
            data.resolve("pods"));
  }

  /** Works until it is closed. */
  public void start() {
    client.pods().inAnyNamespace().inform(new PodEvents());
  }

  /** Ends every process: SIGTERM, then SIGKILL. The ends are still told to the API server. */
  @Override
  public void close() {
    scheduling.shutdownNow();
    // First, so that no pod is taken on that isn't among those which are stopped.
    threads.shutdown();
    CompletableFuture.allOf(
            runs.values().stream().map(run -> run.stop(FAREWELL)).toArray(CompletableFuture[]::new))
        .join();
    try {
      if (!threads.awaitTermination(LAST_WRITES.toSeconds(), TimeUnit.SECONDS)) {
        threads.shutdownNow();
      }
    } catch (InterruptedException e) {
      threads.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private void execute(Runnable task) {
    try {
      threads.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed before a pod was looked at");
    }
  }

  private void scheduleSoon() {
    try {
      scheduling.execute(this::schedule);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed before a pod was scheduled");
    }
  }

  private void schedule() {
    try {
      scheduler.schedule();
    } catch (KubernetesClientException e) {
      LOG.infof("scheduling is tried again: %s", e.getMessage());
      CompletableFuture.delayedExecutor(RETRY_MILLIS, TimeUnit.MILLISECONDS)
          .execute(this::scheduleSoon);
    }
  }

  private void look(Pod pod) {
    scheduleSoon();
    if (!node.name().equals(pod.getSpec().getNodeName())) {
      return;
    }
    String uid = pod.getMetadata().getUid();
    if (pod.getMetadata().getDeletionTimestamp() != null) {
      PodRun run = runs.get(uid);
      if (run == null) {
        execute(() -> client.resource(pod).withGracePeriod(0).delete());
      } else {
        Long grace = pod.getMetadata().getDeletionGracePeriodSeconds();
        stop(run, grace == null ? 0 : grace);
      }
    } else if (!PodStatuses.ended(pod) && !runs.containsKey(uid)) {
      PodRun run = new PodRun(launcher, client, pod, clock);
      if (runs.putIfAbsent(uid, run) == null) {
        execute(run);
      }
    }
  }

  private static void stop(PodRun run, long graceSeconds) {
    var stopped = run.stop(Duration.ofSeconds(graceSeconds));
    LOG.debugf("stop was asked for, done: %s", stopped.isDone());
  }

  private final class PodEvents implements ResourceEventHandler<Pod> {
    @Override
    public void onAdd(Pod pod) {
      look(pod);
    }

    @Override
    public void onUpdate(Pod before, Pod pod) {
      look(pod);
    }

    @Override
    public void onDelete(Pod pod, boolean stateUnknown) {
      PodRun run = runs.remove(pod.getMetadata().getUid());
      if (run != null) {
        stop(run, 0);
      }
      scheduleSoon();
    }
  }
}
