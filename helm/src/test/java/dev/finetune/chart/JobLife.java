package dev.finetune.chart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.finetune.api.v1alpha1.AttemptOutcome;
import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.operator.support.FineTuneJobs;
import dev.finetune.operator.support.TestJobController;
import dev.finetune.operator.support.TestProgress;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.List;
import java.util.Map;

/** Leads a job through all that makes the operator ask the API server for something. */
final class JobLife {
  /** Nobody listens there: the operator takes the way through the API server. */
  private static final int NO_TRAINER = 1;

  private static final String QUOTA = "pods is forbidden: exceeded quota";

  private JobLife() {}

  /** Until it has succeeded and its children are removed. */
  static void lead(KubernetesClient client, String namespace) {
    var jobs = new FineTuneJobs(client, namespace);
    var cluster = new TestJobController(client, namespace);

    FineTuneJob job = jobs.apply("whole", "suspend: true", "ttlSecondsAfterFinished: 1");
    jobs.awaitPhase("whole", Phase.SUSPENDED);
    client.resource(staleRecipe(job, namespace)).create();
    jobs.edit("whole", "{\"spec\": {\"suspend\": false}}");
    Job first = cluster.awaitJob("whole-1");
    client.resource(refusal(first)).create();
    jobs.awaitStatus("whole", status -> assertThat(status.message()).contains(QUOTA));
    Pod deleted = cluster.start(first, NO_TRAINER);
    jobs.awaitPhase("whole", Phase.RUNNING);

    client.resource(first).delete();
    cluster.collect(deleted);
    Job second = cluster.awaitJob("whole-2");
    Pod suspended = cluster.start(second, NO_TRAINER);
    jobs.awaitPhase("whole", Phase.RUNNING);

    jobs.edit("whole", "{\"spec\": {\"suspend\": true}}");
    cluster.awaitNoJob("whole-2");
    cluster.collect(suspended);
    jobs.awaitPhase("whole", Phase.SUSPENDED);

    jobs.edit("whole", "{\"spec\": {\"suspend\": false}}");
    Job third = cluster.awaitJob("whole-3");
    Pod pod = cluster.start(third, NO_TRAINER);
    cluster.end(third, pod, TrainerExit.DONE, "done", TestProgress.at(40));
    FineTuneJob done = jobs.awaitPhase("whole", Phase.SUCCEEDED);
    assertThat(done.getStatus().attempts().get(2).outcome()).isEqualTo(AttemptOutcome.Succeeded);
    cluster.awaitNoJob("whole-3");
    leadTwoNodes(jobs, cluster);
  }

  /** Its pods find each other by a Service, which goes with its other children. */
  private static void leadTwoNodes(FineTuneJobs jobs, TestJobController cluster) {
    jobs.apply("pair", "resources: {nodes: 2, gpusPerNode: 1}", "ttlSecondsAfterFinished: 1");
    Job job = cluster.awaitJob("pair-1");
    Pod second = cluster.start(job, 1, NO_TRAINER);
    Pod first = cluster.start(job, 0, NO_TRAINER);
    jobs.awaitPhase("pair", Phase.RUNNING);
    cluster.endPod(second, TrainerExit.DONE, "done", null);
    cluster.end(job, first, TrainerExit.DONE, "done", TestProgress.at(40));
    jobs.awaitPhase("pair", Phase.SUCCEEDED);
    cluster.awaitNoJob("pair-1");
  }

  /** How the Job controller tells that it may not create a Job's pod. */
  private static Event refusal(Job job) {
    return new EventBuilder()
        .withNewMetadata()
        .withName(job.getMetadata().getName() + ".refused")
        .withNamespace(job.getMetadata().getNamespace())
        .endMetadata()
        .withNewInvolvedObject()
        .withApiVersion(job.getApiVersion())
        .withKind(job.getKind())
        .withName(job.getMetadata().getName())
        .withNamespace(job.getMetadata().getNamespace())
        .withUid(job.getMetadata().getUid())
        .endInvolvedObject()
        .withType("Warning")
        .withReason("FailedCreate")
        .withMessage(QUOTA)
        .build();
  }

  /** A recipe that an earlier operator left behind before the job was edited. */
  static ConfigMap staleRecipe(FineTuneJob job, String namespace) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(job.getMetadata().getName())
        .withNamespace(namespace)
        .withOwnerReferences(
            List.of(
                new OwnerReferenceBuilder()
                    .withApiVersion(job.getApiVersion())
                    .withKind(job.getKind())
                    .withName(job.getMetadata().getName())
                    .withUid(job.getMetadata().getUid())
                    .withController(true)
                    .withBlockOwnerDeletion(true)
                    .build()))
        .endMetadata()
        .withData(Map.of("recipe.yaml", "of another day"))
        .build();
  }
}
