package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** Full fine-tuning. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FullOptions(
    @JsonPropertyDescription(
            "Train the last decoder layers, this many, with the final norm and the head, and freeze"
                + " the rest; 1 to 1000. A head that is the embedding's matrix trains as both. Default"
                + " none: every weight.")
        @Min(1)
        @Max(1000)
        Integer lastLayers) {}
