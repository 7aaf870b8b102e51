package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PrinterColumn;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;

/** The hardware of the trainer's pods. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "!has(self.parallelism) || self.parallelism != 'Layers' || !has(self.nodes) || self.nodes == 1",
    message =
        "nodes must be 1 with parallelism Layers, which lays the model over the GPUs of one pod")
@ValidationRule(
    value = "!has(self.deviceMaxMemory) || (has(self.parallelism) && self.parallelism == 'Layers')",
    message = "deviceMaxMemory needs parallelism Layers; leave it out with Data")
@ValidationRule(
    value =
        "!has(self.deviceMaxMemory) || !has(self.gpusPerNode)"
            + " || size(self.deviceMaxMemory) == self.gpusPerNode",
    message = "deviceMaxMemory must have one amount for each of gpusPerNode")
public record ResourceOptions(
    @JsonPropertyDescription(
            "Pods that train together, each with gpusPerNode GPUs, 1 to 64. Two of them may share a"
                + " node. Default 1.")
        @Default("1")
        @Min(1)
        @Max(64)
        @PrinterColumn(name = "NODES", priority = 1)
        Integer nodes,
    @JsonPropertyDescription(
            "GPUs of each pod, set as request and limit, 0 to 16; 0 trains on the CPU. A run may go"
                + " on from a checkpoint with other nodes and gpusPerNode, as long as the sequences"
                + " of a step stay as many: batchSize x gradientAccumulationSteps x nodes x"
                + " gpusPerNode. Default 1.")
        @Default("1")
        @Min(0)
        @Max(16)
        @PrinterColumn(name = "GPUS")
        Integer gpusPerNode,
    @JsonPropertyDescription(
            "The extended resource that counts as a GPU, such as nvidia.com/mig-1g.10gb. Default"
                + " nvidia.com/gpu.")
        @Default("\"nvidia.com/gpu\"")
        @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
        @Size(max = 253)
        String gpuResource,
    @JsonPropertyDescription(
            "Data: each GPU trains a copy of the model on its share of every step. Layers: one copy"
                + " is laid over the GPUs of the pod, for a model that doesn't fit one; nodes must"
                + " be 1. Default Data.")
        @Default("\"Data\"")
        Parallelism parallelism,
    @JsonPropertyDescription(
            "With Layers: how much of each GPU's memory may be used, one amount such as 15GB or 14Gi"
                + " for each of gpusPerNode, in their order. Default all that is free.")
        @Size(min = 1, max = 16)
        List<@Pattern("^[1-9][0-9]*(\\.[0-9]+)?[KMGT]i?B?$") @Size(max = 32) String>
            deviceMaxMemory,
    @JsonPropertyDescription("CPU cores requested for each pod. Default 4.") @Default("\"4\"")
        Quantity cpu,
    @JsonPropertyDescription(
            "Main memory requested for each pod and its limit; what the trainer needs beside the"
                + " GPU's. Default 16Gi.")
        @Default("\"16Gi\"")
        Quantity memory,
    @JsonPropertyDescription(
            "Size of /dev/shm, which lies in memory and counts against it. Default 1Gi.")
        @Default("\"1Gi\"")
        Quantity sharedMemory) {}
