package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** The checkpoints that matter. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Checkpoints(
    @JsonPropertyDescription("The newest.") Checkpoint latest,
    @JsonPropertyDescription("The one with the lowest validation loss.") Checkpoint best,
    @JsonPropertyDescription("The one that the running or last attempt went on from.")
        Checkpoint resumedFrom) {}
