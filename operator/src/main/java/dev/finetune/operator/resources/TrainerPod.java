package dev.finetune.operator.resources;

import dev.finetune.api.v1alpha1.FineTuneJob;
import dev.finetune.api.v1alpha1.PodOptions;
import dev.finetune.operator.config.OperatorConfig;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSecurityContextBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The trainer's pod, of which an attempt has one for each node. It passes the {@code restricted}
 * Pod Security level.
 */
final class TrainerPod {
  static final String RECIPE_VOLUME = "recipe";
  static final String TMP_VOLUME = "tmp";
  static final String SHARED_MEMORY_VOLUME = "shared-memory";

  private TrainerPod() {}

  static PodTemplateSpec template(FineTuneJob job, int attempt, OperatorConfig config) {
    return new PodTemplateSpecBuilder()
        .withNewMetadata()
        .withLabels(Labels.ofAttempt(job, attempt))
        .addToAnnotations("kubectl.kubernetes.io/default-container", TrainerContainer.NAME)
        .endMetadata()
        .withSpec(spec(job, attempt, config))
        .build();
  }

  private static PodSpec spec(FineTuneJob job, int attempt, OperatorConfig config) {
    var claims = ClaimVolumes.of(job.getSpec().recipe());
    var spec =
        new PodSpecBuilder()
            .withRestartPolicy("Never")
            .withSubdomain(Ranks.of(job).severalNodes() ? ResourceNames.service(job) : null)
            // The trainer never talks to the API server; progress is pulled from it.
            .withAutomountServiceAccountToken(false)
            // Variables for every Service of the namespace would only be able to collide with ours.
            .withEnableServiceLinks(false)
            .withTerminationGracePeriodSeconds(config.trainer().gracePeriod().toSeconds())
            .withSecurityContext(securityContext(config.trainer()))
            .withVolumes(volumes(job, claims))
            .withContainers(TrainerContainer.of(job, attempt, claims, config.trainer()));
    Optional.ofNullable(job.getSpec().pod()).ifPresent(pod -> place(spec, pod));
    return spec.build();
  }

  private static void place(PodSpecBuilder spec, PodOptions pod) {
    spec.withNodeSelector(pod.nodeSelector())
        .withTolerations(pod.tolerations())
        .withPriorityClassName(emptyToNull(pod.priorityClassName()))
        .withRuntimeClassName(emptyToNull(pod.runtimeClassName()))
        .withServiceAccountName(emptyToNull(pod.serviceAccountName()))
        .withImagePullSecrets(pod.imagePullSecrets());
  }

  private static PodSecurityContext securityContext(OperatorConfig.Trainer trainer) {
    return new PodSecurityContextBuilder()
        .withRunAsNonRoot(true)
        .withRunAsUser(trainer.userId())
        .withRunAsGroup(trainer.groupId())
        // Makes the claims writable for the user above, whatever user the image names ...
        .withFsGroup(trainer.groupId())
        // ... without walking over every file of a model at each start.
        .withFsGroupChangePolicy("OnRootMismatch")
        .withNewSeccompProfile()
        .withType("RuntimeDefault")
        .endSeccompProfile()
        .build();
  }

  private static List<Volume> volumes(FineTuneJob job, ClaimVolumes claims) {
    var volumes = new ArrayList<Volume>();
    volumes.add(
        new VolumeBuilder()
            .withName(RECIPE_VOLUME)
            .withNewConfigMap()
            .withName(ResourceNames.configMap(job))
            .endConfigMap()
            .build());
    volumes.addAll(claims.volumes());
    // The root file system is read-only; Java and DJL unpack native libraries here.
    volumes.add(new VolumeBuilder().withName(TMP_VOLUME).withNewEmptyDir().endEmptyDir().build());
    volumes.add(
        new VolumeBuilder()
            .withName(SHARED_MEMORY_VOLUME)
            .withNewEmptyDir()
            // A container's own /dev/shm has 64 MB, too little for NCCL between the GPUs of a pod.
            .withMedium("Memory")
            .withSizeLimit(sharedMemory(job))
            .endEmptyDir()
            .build());
    return volumes;
  }

  private static Quantity sharedMemory(FineTuneJob job) {
    var resources = job.getSpec().resources();
    return resources == null ? null : resources.sharedMemory();
  }

  static String emptyToNull(String text) {
    return text == null || text.isEmpty() ? null : text;
  }
}
