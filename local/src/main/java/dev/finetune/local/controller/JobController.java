package dev.finetune.local.controller;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Creates the pods of Indexed Jobs, and tells from the pods' ends how the Job ended. Pods of a
 * deleted Job are the garbage collection's.
 */
public final class JobController implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(JobController.class);
  private static final int RETRY_MILLIS = 500;

  private final KubernetesClient client;
  private final Clock clock;

  /** One thread, so that a Job is never worked on twice at a time. */
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(task -> new Thread(task, "job-controller"));

  /** Indexes for which a pod was created, by the Job's uid; only the worker reads and writes it. */
  private final Map<String, Set<Integer>> created = new HashMap<>();

  /**
   * Makes a controller that {@link #start} starts.
   *
   * @param client stays the caller's to close
   */
  public JobController(KubernetesClient client, Clock clock) {
    this.client = client;
    this.clock = clock;
  }

  /** Works until it is closed. */
  public void start() {
    client.batch().v1().jobs().inAnyNamespace().inform(new Changes<>(this::enqueue));
    client
        .pods()
        .inAnyNamespace()
        .withLabel(IndexedPod.JOB_NAME_LABEL)
        .inform(
            new Changes<>(
                pod ->
                    enqueue(
                        pod.getMetadata().getNamespace(),
                        pod.getMetadata().getLabels().get(IndexedPod.JOB_NAME_LABEL))));
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }

  private void enqueue(Job job) {
    enqueue(job.getMetadata().getNamespace(), job.getMetadata().getName());
  }

  private void enqueue(String namespace, String name) {
    try {
      worker.execute(() -> work(namespace, name));
    } catch (RejectedExecutionException e) {
      LOG.debugf("closed before %s/%s was looked at", namespace, name);
    }
  }

  private void work(String namespace, String name) {
    try {
      reconcile(namespace, name);
    } catch (KubernetesClientException e) {
      LOG.infof("Job %s/%s is tried again: %s", namespace, name, e.getMessage());
      CompletableFuture.delayedExecutor(RETRY_MILLIS, TimeUnit.MILLISECONDS)
          .execute(() -> enqueue(namespace, name));
    }
  }

  private void reconcile(String namespace, String name) {
    Job job = client.batch().v1().jobs().inNamespace(namespace).withName(name).get();
    if (job == null || job.getMetadata().getDeletionTimestamp() != null || finished(job)) {
      return;
    }
    if (Boolean.TRUE.equals(job.getSpec().getSuspend())) {
      // It waits for a queue, and none is here; a pod would be none of its user's wishes.
      return;
    }
    Set<Integer> known =
        created.computeIfAbsent(job.getMetadata().getUid(), uid -> new HashSet<>());
    JobTally tally = JobTally.of(job, pods(job), known);
    if (tally.complete() || tally.failed()) {
      tally.active().forEach(pod -> client.resource(pod).delete());
      created.remove(job.getMetadata().getUid());
    } else {
      for (int index : tally.missing()) {
        known.add(index);
        client.resource(IndexedPod.of(job, index)).create();
      }
      tally = JobTally.of(job, pods(job), known);
    }
    write(job, tally);
  }

  private void write(Job job, JobTally tally) {
    var status = tally.status(job.getStatus(), clock.instant().truncatedTo(ChronoUnit.SECONDS));
    if (!status.equals(job.getStatus())) {
      job.setStatus(status);
      client.resource(job).updateStatus();
    }
  }

  private List<Pod> pods(Job job) {
    String uid = job.getMetadata().getUid();
    return client
        .pods()
        .inNamespace(job.getMetadata().getNamespace())
        .withLabel(IndexedPod.JOB_NAME_LABEL, job.getMetadata().getName())
        .list()
        .getItems()
        .stream()
        .filter(
            pod ->
                pod.getMetadata().getOwnerReferences().stream()
                    .anyMatch(owner -> uid.equals(owner.getUid())))
        .toList();
  }

  private static boolean finished(Job job) {
    return job.getStatus() != null
        && job.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    Set.of("Complete", "Failed").contains(condition.getType())
                        && "True".equals(condition.getStatus()));
  }

  /** Every event means the same: look again. */
  private record Changes<T>(java.util.function.Consumer<T> look)
      implements ResourceEventHandler<T> {
    @Override
    public void onAdd(T object) {
      look.accept(object);
    }

    @Override
    public void onUpdate(T before, T object) {
      look.accept(object);
    }

    @Override
    public void onDelete(T object, boolean stateUnknown) {
      look.accept(object);
    }
  }
}
