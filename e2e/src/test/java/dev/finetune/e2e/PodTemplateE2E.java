package dev.finetune.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.finetune.api.v1alpha1.FineTuneJobStatus;
import dev.finetune.api.v1alpha1.Phase;
import dev.finetune.e2e.harness.FineTuneJobs;
import dev.finetune.e2e.harness.Manifest;
import dev.finetune.e2e.harness.TestCluster;
import dev.finetune.e2e.harness.TestNamespace;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.VolumeMount;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What of a pod is the user's to say. */
class PodTemplateE2E {
  @RegisterExtension static final TestCluster CLUSTER = new TestCluster();

  @RegisterExtension final TestNamespace namespace = new TestNamespace(CLUSTER);

  @Test
  void theOverlayAddsALabelAnInitContainerAndANodeAffinity() {
    FineTuneJobs jobs = namespace.jobs();
    String node = CLUSTER.nodes().get(1);
    jobs.apply(Manifest.tiny("overlay").spec("pod: {template: " + overlay(node) + "}"));

    FineTuneJobStatus status = jobs.awaitPhase("overlay", Phase.SUCCEEDED);

    Pod pod = jobs.pod("overlay", 1);
    assertThat(status.attempts().get(0).node()).isEqualTo(node);
    assertThat(pod.getMetadata().getLabels())
        .containsEntry("team", "assistants")
        .containsEntry(FineTuneJobs.JOB_LABEL, "overlay");
    assertThat(pod.getSpec().getContainers()).extracting(Container::getName).contains("trainer");
    assertThat(pod.getStatus().getInitContainerStatuses().get(0).getState().getTerminated())
        .satisfies(state -> assertThat(state.getExitCode()).isZero());
  }

  @Test
  void aTypoInTheOverlayIsRefusedInWordsAndTheJobGoesOnWhenItIsMended() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(Manifest.tiny("typo").spec("pod: {template: {spec: {priorityClasName: high}}}"));

    FineTuneJobStatus refused =
        jobs.awaitStatus(
            "typo", status -> assertThat(status.message()).contains("priorityClasName"));
    assertThat(refused.phase()).isEqualTo(Phase.PENDING);
    assertThat(jobs.attemptJobs("typo")).isEmpty();

    jobs.patch("typo", "{\"spec\":{\"pod\":{\"template\":null}}}");

    jobs.awaitPhase("typo", Phase.SUCCEEDED);
  }

  @Test
  void claimsAreMountedOnceAndOnlyTheDestinationsIsWritable() {
    FineTuneJobs jobs = namespace.jobs();
    jobs.apply(
        Manifest.tiny("deep")
            .spec("recipe: {output: {destination: 'pvc://results/teams/assistants/deep'}}"));

    FineTuneJobStatus status = jobs.awaitPhase("deep", Phase.SUCCEEDED);

    assertThat(status.result().adapter()).isEqualTo("pvc://results/teams/assistants/deep/adapter");
    assertThat(namespace.results().resolve("teams/assistants/deep/adapter/adapter_config.json"))
        .isRegularFile();
    assertThat(jobs.pod("deep", 1).getSpec().getContainers().get(0).getVolumeMounts())
        .filteredOn(mount -> mount.getMountPath().startsWith("/mnt/volumes/"))
        .extracting(VolumeMount::getMountPath, VolumeMount::getReadOnly)
        .containsExactlyInAnyOrder(
            tuple("/mnt/volumes/models", true),
            tuple("/mnt/volumes/data", true),
            tuple("/mnt/volumes/results", null));
  }

  private static String overlay(String node) {
    return """
    {metadata: {labels: {team: assistants}},
     spec: {
       initContainers: [
         {name: check, image: %s, args: [--version],
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}],
       affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:
         {nodeSelectorTerms: [{matchExpressions: [
           {key: kubernetes.io/hostname, operator: In, values: [%s]}]}]}}}}}
    """
        .formatted(System.getProperty("e2e.trainer.image"), node);
  }
}
