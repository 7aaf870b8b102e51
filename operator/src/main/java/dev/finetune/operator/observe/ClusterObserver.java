package dev.finetune.operator.observe;

import dev.finetune.api.v1alpha1.Attempt;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.operator.observe.ProgressSource.Answer;
import dev.finetune.operator.resources.Labels;
import dev.finetune.operator.resources.Ownership;
import dev.finetune.operator.status.AttemptHistory;
import dev.finetune.operator.status.Conditions;
import dev.finetune.operator.status.QueueState;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads what is there: the informers' caches, the API server itself where a cache that lags would
 * lead to a wrong conclusion, and the trainer.
 */
@ApplicationScoped
public class ClusterObserver {
  private final KubernetesClient client;
  private final ProgressPolls polls;
  private final PodRefusals refusals;
  private final DeletedPods deletedPods;

  ClusterObserver(
      KubernetesClient client, ProgressPolls polls, PodRefusals refusals, DeletedPods deletedPods) {
    this.client = client;
    this.polls = polls;
    this.refusals = refusals;
    this.deletedPods = deletedPods;
  }

  /** Is told the last state of a pod that was deleted. */
  public void deleted(Pod pod) {
    deletedPods.remember(pod);
  }

  /** Observes one job; of one that is done for good only what the cache has of its Jobs. */
  public Observation observe(FineTuneJob job, Context<FineTuneJob> context) {
    List<Job> jobs =
        new ArrayList<>(
            context
                .getSecondaryResourcesAsStream(Job.class)
                .filter(each -> Ownership.owns(job, each))
                .toList());
    if (Conditions.terminal(job.getStatus())) {
      return new Observation(jobs, List.of());
    }
    List<Pod> pods =
        Stream.concat(
                context.getSecondaryResourcesAsStream(Pod.class), deletedPods.of(job).stream())
            .toList();
    Optional<Attempt> running = AttemptHistory.running(job.getStatus());
    if (running.isEmpty()) {
      return new Observation(jobs, pods);
    }
    int attempt = running.get().number();
    if (new Observation(jobs, pods).job(attempt).isEmpty()) {
      live(job, running.get().job()).ifPresent(jobs::add);
    }
    var cached = new Observation(jobs, pods);
    if (cached.job(attempt).map(ClusterObserver::ended).orElse(true)
        && !cached.podsEnded(attempt)) {
      pods = live(job, pods);
    }
    var observed = new Observation(jobs, pods);
    Answer answer = answer(job, observed.pods(attempt).first());
    return new Observation(
        jobs,
        pods,
        answer.progress(),
        answer.reached(),
        observed.pods(attempt).incomplete()
            ? observed.job(attempt).filter(each -> !QueueState.waits(each)).flatMap(refusals::of)
            : Optional.empty());
  }

  /**
   * Whether the API server has another state of the job than the cache. Creating a Job can't be
   * taken back, and a job whose end the cache has yet to hear of must not start again.
   */
  public boolean outdated(FineTuneJob job) {
    FineTuneJob live = client.resource(job).get();
    return live == null
        || !live.getMetadata().getResourceVersion().equals(job.getMetadata().getResourceVersion());
  }

  /** The cache doesn't have the Job: it was deleted, or the cache has yet to hear of it. */
  private Optional<Job> live(FineTuneJob job, String name) {
    return Optional.ofNullable(
            client
                .batch()
                .v1()
                .jobs()
                .inNamespace(job.getMetadata().getNamespace())
                .withName(name)
                .get())
        .filter(each -> Ownership.owns(job, each));
  }

  /**
   * The Job has ended, and the cache of pods has yet to hear how its pods did. A pod that only the
   * cache has is about to be heard of as deleted, with its last state.
   */
  private List<Pod> live(FineTuneJob job, List<Pod> cached) {
    var pods = new LinkedHashMap<String, Pod>();
    cached.forEach(pod -> pods.put(pod.getMetadata().getUid(), pod));
    client
        .pods()
        .inNamespace(job.getMetadata().getNamespace())
        .withLabel(Labels.JOB, job.getMetadata().getName())
        .list()
        .getItems()
        .forEach(pod -> pods.put(pod.getMetadata().getUid(), pod));
    return List.copyOf(pods.values());
  }

  private Answer answer(FineTuneJob job, Optional<Pod> pod) {
    return pod.filter(Observation::answers)
        .map(each -> polls.take(job, each))
        .orElse(Answer.UNREACHABLE);
  }

  private static boolean ended(Job job) {
    return Observation.complete(job) || Observation.failed(job);
  }
}
