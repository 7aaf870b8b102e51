package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** A checkpoint that is complete on disk: its manifest was read back and verified. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Checkpoint(
    @JsonPropertyDescription("Optimizer steps that it contains.") Integer step,
    @JsonPropertyDescription("Passes over the data that it contains.") Double epoch,
    @JsonPropertyDescription("Its folder, in the form of the destination.") String location,
    @JsonPropertyDescription("Size of all its files in bytes.") Long sizeBytes,
    @JsonPropertyDescription("SHA-256 of its manifest, which holds the SHA-256 of each file.")
        String sha256,
    @JsonPropertyDescription("Validation loss at that step.") Double evalLoss) {}
