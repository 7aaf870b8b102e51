package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.Toleration;
import java.util.List;
import java.util.Map;

/** Where and how the trainer's pod runs; Kubernetes' own meaning for each field. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PodOptions(
    @JsonPropertyDescription("Image of the trainer. Default the operator's.") @Size(max = 1024)
        String image,
    @JsonPropertyDescription("Labels that the node must have.") Map<String, String> nodeSelector,
    @JsonPropertyDescription("Taints of nodes that the pod tolerates.") @Size(max = 64)
        List<Toleration> tolerations,
    @JsonPropertyDescription("PriorityClass of the pod.") @Size(max = 253) String priorityClassName,
    @JsonPropertyDescription("RuntimeClass of the pod, such as nvidia.") @Size(max = 253)
        String runtimeClassName,
    @JsonPropertyDescription(
            "ServiceAccount of the pod. Its token is never mounted. Default the namespace's default.")
        @Size(max = 253)
        String serviceAccountName,
    @JsonPropertyDescription("Secrets to pull the image with.") @Size(max = 16)
        List<LocalObjectReference> imagePullSecrets,
    @JsonPropertyDescription("Further environment variables of the trainer; at most 64.")
        @Size(max = 64)
        List<EnvironmentVariable> env,
    @JsonPropertyDescription(
            "Any part of a PodTemplateSpec, merged over what the operator builds, as kubectl patch"
                + " does: objects field by field, lists by Kubernetes' own merge keys (containers and"
                + " volumes by name, volumeMounts by mountPath ...), others replaced; null removes a field. What the"
                + " operator relies on is refused.")
        @PreserveUnknownFields
        Map<String, Object> template) {}
