package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** How one epoch ended. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record EpochResult(
    @JsonPropertyDescription("Number of the epoch, from 1.") Integer epoch,
    @JsonPropertyDescription("Optimizer steps done at its end.") Integer step,
    @JsonPropertyDescription("Mean training loss of a supervised token over the epoch.")
        Double loss,
    @JsonPropertyDescription("Validation loss at its end.") Double evalLoss,
    @JsonPropertyDescription("When it ended, RFC 3339.") String completionTime) {}
