package dev.finetune.local.controller;

import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.util.UUID;

/** The pod of one completion index, with the names that Kubernetes gives. */
final class IndexedPod {
  static final String JOB_NAME_LABEL = "batch.kubernetes.io/job-name";
  private static final String CONTROLLER_UID_LABEL = "batch.kubernetes.io/controller-uid";
  private static final String INDEX = "batch.kubernetes.io/job-completion-index";
  private static final String INDEX_VARIABLE = "JOB_COMPLETION_INDEX";

  private IndexedPod() {}

  static Pod of(Job job, int index) {
    PodTemplateSpec template = job.getSpec().getTemplate();
    String name = job.getMetadata().getName();
    String suffix = UUID.randomUUID().toString().substring(0, 5);
    ObjectMeta given = template.getMetadata() == null ? new ObjectMeta() : template.getMetadata();
    return new PodBuilder()
        .withNewMetadata()
        .withName(name + "-" + index + "-" + suffix)
        .withNamespace(job.getMetadata().getNamespace())
        .withLabels(given.getLabels())
        .withAnnotations(given.getAnnotations())
        .addToLabels(JOB_NAME_LABEL, name)
        .addToLabels("job-name", name)
        .addToLabels(CONTROLLER_UID_LABEL, job.getMetadata().getUid())
        .addToLabels(INDEX, String.valueOf(index))
        .addToAnnotations(INDEX, String.valueOf(index))
        .withOwnerReferences(
            new OwnerReferenceBuilder()
                .withApiVersion("batch/v1")
                .withKind("Job")
                .withName(name)
                .withUid(job.getMetadata().getUid())
                .withController(true)
                .withBlockOwnerDeletion(true)
                .build())
        .endMetadata()
        .withSpec(spec(template.getSpec(), name + "-" + index, index))
        .build();
  }

  private static PodSpec spec(PodSpec template, String hostname, int index) {
    var spec = new PodBuilder().withNewSpecLike(template).withHostname(hostname).endSpec();
    PodSpec copy = spec.build().getSpec();
    copy.getContainers()
        .forEach(
            container ->
                container
                    .getEnv()
                    .add(
                        new EnvVarBuilder()
                            .withName(INDEX_VARIABLE)
                            .withValue(String.valueOf(index))
                            .build()));
    return copy;
  }

  /** The index that a pod completes. */
  static int index(Pod pod) {
    return Integer.parseInt(pod.getMetadata().getAnnotations().get(INDEX));
  }
}
