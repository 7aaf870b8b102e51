package dev.finetune.operator;

import dev.finetune.api.v1alpha1.TerminationMessage;
import dev.finetune.operator.resources.Ranks;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.utils.Serialization;

/** What Kubernetes' Job controller and kubelet do to an attempt, done by a test step by step. */
final class JobController {
  private final KubernetesClient client;

  JobController(KubernetesClient client) {
    this.client = client;
  }

  /** Creates the Job's pod and lets its container run with {@code trainer} behind its port. */
  Pod runPod(Job job, FakeTrainer trainer) {
    return runPod(job, 0, trainer);
  }

  /** As {@link #runPod(Job, FakeTrainer)}, the pod of one of several indexes. */
  Pod runPod(Job job, int index, FakeTrainer trainer) {
    Pod pod =
        new PodBuilder()
            .withMetadata(job.getSpec().getTemplate().getMetadata())
            .withSpec(job.getSpec().getTemplate().getSpec())
            .editMetadata()
            .withName(job.getMetadata().getName() + "-" + index + "-abcde")
            .addToAnnotations(Ranks.INDEX_ANNOTATION, String.valueOf(index))
            .withNamespace(job.getMetadata().getNamespace())
            .endMetadata()
            .withNewStatus()
            .withPhase("Running")
            .withPodIP("127.0.0.1")
            .endStatus()
            .build();
    pod.getSpec().setNodeName("node-" + (index + 1));
    pod.getSpec().getContainers().get(0).getPorts().get(0).setContainerPort(trainer.port());
    return client.resource(pod).create();
  }

  /** What Kueue does to preempt a Job, and to admit it. */
  void suspendJob(Job job, boolean suspend) {
    current(job)
        .edit(
            each -> {
              each.getSpec().setSuspend(suspend);
              return each;
            });
  }

  /** Ends the pod's container. */
  void endPod(Pod pod, int exitCode, TerminationMessage message) {
    client
        .resource(pod)
        .editStatus(
            each -> {
              each.setStatus(
                  new PodStatusBuilder()
                      .withPhase(exitCode == 0 ? "Succeeded" : "Failed")
                      .addNewContainerStatus()
                      .withName("trainer")
                      .withNewState()
                      .withNewTerminated()
                      .withExitCode(exitCode)
                      .withMessage(Serialization.asJson(message))
                      .endTerminated()
                      .endState()
                      .endContainerStatus()
                      .build());
              return each;
            });
  }

  /** Gives the Job the condition Complete or Failed. */
  void endJob(Job job, String condition) {
    current(job)
        .editStatus(
            each -> {
              each.setStatus(
                  new JobStatusBuilder()
                      .addNewCondition()
                      .withType(condition)
                      .withStatus("True")
                      .endCondition()
                      .build());
              return each;
            });
  }

  /** By name: the test's own copy is of the time at which it was read. */
  private Resource<Job> current(Job job) {
    return client
        .batch()
        .v1()
        .jobs()
        .inNamespace(job.getMetadata().getNamespace())
        .withName(job.getMetadata().getName());
  }
}
