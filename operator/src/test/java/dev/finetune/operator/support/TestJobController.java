package dev.finetune.operator.support;

import static org.awaitility.Awaitility.await;

import dev.finetune.api.v1alpha1.Progress;
import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.resources.Ranks;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.JobConditionBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Plays Kubernetes' Job controller, scheduler, kubelet and garbage collector, one step at a time,
 * for the Jobs of one namespace. The API server checks each status that it writes.
 */
public final class TestJobController {
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final KubernetesClient client;
  private final String namespace;
  private final AtomicInteger pods = new AtomicInteger();

  public TestJobController(KubernetesClient client, String namespace) {
    this.client = client;
    this.namespace = namespace;
  }

  /** Waits until the operator has created a Job. */
  public Job awaitJob(String name) {
    return await("Job " + name)
        .atMost(PATIENCE)
        .until(
            () -> client.batch().v1().jobs().inNamespace(namespace).withName(name).get(),
            Job.class::isInstance);
  }

  /** Waits until a Job is gone. */
  public void awaitNoJob(String name) {
    await("deletion of Job " + name)
        .atMost(PATIENCE)
        .until(
            () -> client.batch().v1().jobs().inNamespace(namespace).withName(name).get() == null);
  }

  /** Names of all Jobs. */
  public List<String> jobs() {
    return client.batch().v1().jobs().inNamespace(namespace).list().getItems().stream()
        .map(job -> job.getMetadata().getName())
        .sorted()
        .toList();
  }

  /**
   * Creates a Job's pod on a node and starts its container.
   *
   * @param port where the trainer listens on this machine, in place of the container's own
   */
  public Pod start(Job job, int port) {
    return start(job, 0, port);
  }

  /** As {@link #start(Job, int)}, the pod of one of several indexes. */
  public Pod start(Job job, int index, int port) {
    Pod pod =
        new PodBuilder()
            .withMetadata(job.getSpec().getTemplate().getMetadata())
            .withSpec(job.getSpec().getTemplate().getSpec())
            .editMetadata()
            .withName(job.getMetadata().getName() + "-" + index + "-x7k2" + pods.incrementAndGet())
            .addToAnnotations(Ranks.INDEX_ANNOTATION, String.valueOf(index))
            .withNamespace(namespace)
            .withOwnerReferences(
                new OwnerReferenceBuilder()
                    .withApiVersion("batch/v1")
                    .withKind("Job")
                    .withName(job.getMetadata().getName())
                    .withUid(job.getMetadata().getUid())
                    .withController(true)
                    .build())
            .endMetadata()
            .editSpec()
            .withNodeName("node-" + (index + 1))
            .editContainer(0)
            .editPort(0)
            .withContainerPort(port)
            .endPort()
            .endContainer()
            .endSpec()
            .build();
    Pod created = client.resource(pod).create();
    String before = current(job).getStatus().getStartTime();
    // With its first pod; the API server refuses another time after that.
    String since = before == null ? now() : before;
    updateJob(job, new JobStatusBuilder().withStartTime(since).withActive(1).withReady(1));
    return updatePod(
        created,
        podStatus("Running")
            .withPodIP("127.0.0.1")
            .addNewPodIP()
            .withIp("127.0.0.1")
            .endPodIP()
            .addNewContainerStatus()
            .withName("trainer")
            .withReady(true)
            .withNewState()
            .withNewRunning()
            .withStartedAt(now())
            .endRunning()
            .endState()
            .endContainerStatus());
  }

  /** Ends a pod's trainer, and with it the Job. */
  public void end(Job job, Pod pod, TrainerExit exit, String message, Progress progress) {
    endPod(pod, exit, message, progress);
    endJob(job, exit == TrainerExit.DONE);
  }

  /** Ends a pod's trainer; the Job controller has yet to notice. */
  public void endPod(Pod pod, TrainerExit exit, String message, Progress progress) {
    updatePod(
        pod,
        podStatus(exit == TrainerExit.DONE ? "Succeeded" : "Failed")
            .addNewContainerStatus()
            .withName("trainer")
            .withNewState()
            .withNewTerminated()
            .withExitCode(exit.code())
            .withReason(exit == TrainerExit.DONE ? "Completed" : "Error")
            .withMessage(
                Serialization.asJson(new TerminationMessage(exit, message, null, progress)))
            .withFinishedAt(now())
            .endTerminated()
            .endState()
            .endContainerStatus());
  }

  /** What Kueue does to admit a Job: it adds the flavour's node labels and lets it run. */
  public void admit(Job job, Map<String, String> nodeSelector) {
    editJob(
        job,
        each -> {
          each.getSpec().setSuspend(false);
          each.getSpec().getTemplate().getSpec().setNodeSelector(nodeSelector);
        });
  }

  /** What Kueue and the Job controller do to preempt a Job; its pod gets SIGTERM. */
  public void preempt(Job job) {
    editJob(job, each -> each.getSpec().setSuspend(true));
    updateJob(job, new JobStatusBuilder().withTerminating(1));
  }

  /** Lets a pod stay when it is deleted, as one does whose node is dead. */
  public void keep(Pod pod) {
    editPod(pod, each -> each.getMetadata().setFinalizers(List.of("example.com/dead-node")));
  }

  /** Takes back {@link #keep}. */
  public void release(Pod pod) {
    editPod(pod, each -> each.getMetadata().setFinalizers(List.of()));
  }

  private void editJob(Job job, Consumer<Job> change) {
    client
        .resource(current(job))
        .edit(
            each -> {
              change.accept(each);
              return each;
            });
  }

  private void editPod(Pod pod, Consumer<Pod> change) {
    client
        .resource(client.resource(pod).get())
        .edit(
            each -> {
              change.accept(each);
              return each;
            });
  }

  /** What the garbage collector does after a Job was deleted. */
  public void collect(Pod pod) {
    client.resource(pod).withGracePeriod(0).delete();
  }

  /** Both conditions of an end: the API server takes none without the one that leads to it. */
  private void endJob(Job job, boolean succeeded) {
    String time = now();
    int pods = job.getSpec().getCompletions();
    var status =
        new JobStatusBuilder()
            .withStartTime(current(job).getStatus().getStartTime())
            .withSucceeded(succeeded ? pods : 0)
            .withFailed(succeeded ? 0 : 1)
            .withConditions(
                Stream.of(
                        succeeded ? "SuccessCriteriaMet" : "FailureTarget",
                        succeeded ? "Complete" : "Failed")
                    .map(type -> condition(type, time))
                    .toList());
    if (succeeded) {
      status.withCompletionTime(time).withCompletedIndexes(pods == 1 ? "0" : "0-" + (pods - 1));
    }
    updateJob(job, status);
  }

  private static JobCondition condition(String type, String time) {
    return new JobConditionBuilder()
        .withType(type)
        .withStatus("True")
        .withLastTransitionTime(time)
        .build();
  }

  private static PodStatusBuilder podStatus(String phase) {
    return new PodStatusBuilder()
        .withPhase(phase)
        .addNewCondition()
        .withType("PodScheduled")
        .withStatus("True")
        .withLastTransitionTime(now())
        .endCondition();
  }

  private Job current(Job job) {
    return client.batch().v1().jobs().resource(job).get();
  }

  private void updateJob(Job job, JobStatusBuilder status) {
    client
        .batch()
        .v1()
        .jobs()
        .inNamespace(namespace)
        .withName(job.getMetadata().getName())
        .editStatus(
            each -> {
              each.setStatus(status.build());
              return each;
            });
  }

  private Pod updatePod(Pod pod, PodStatusBuilder status) {
    return client
        .pods()
        .inNamespace(namespace)
        .withName(pod.getMetadata().getName())
        .editStatus(
            each -> {
              each.setStatus(status.build());
              return each;
            });
  }

  private static String now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
