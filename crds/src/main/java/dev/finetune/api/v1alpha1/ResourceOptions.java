package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PrinterColumn;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Quantity;

/** The hardware of the trainer's pod. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ResourceOptions(
    @JsonPropertyDescription(
            "GPUs of the pod, set as request and limit, 0 to 16; 0 trains on the CPU. Each GPU trains"
                + " a copy of the model on its share of every step; going on from a checkpoint needs the same"
                + " number. Default 1.")
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
    @JsonPropertyDescription("CPU cores requested. Default 4.") @Default("\"4\"") Quantity cpu,
    @JsonPropertyDescription(
            "Main memory requested and its limit; what the trainer needs beside the GPU's. Default"
                + " 16Gi.")
        @Default("\"16Gi\"")
        Quantity memory,
    @JsonPropertyDescription(
            "Size of /dev/shm, which lies in memory and counts against it. Default 1Gi.")
        @Default("\"1Gi\"")
        Quantity sharedMemory) {}
