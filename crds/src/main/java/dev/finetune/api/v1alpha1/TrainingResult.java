package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** Where the results are. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TrainingResult(
    @JsonPropertyDescription(
            "Folder of the adapter, in PEFT's format: the best checkpoint's, or the last without validation.")
        String adapter,
    @JsonPropertyDescription(
            "Folder of the tuned model: after full fine-tuning, or with output.merge.")
        String model,
    @JsonPropertyDescription("File with one JSON line per logged step and evaluation.")
        String logs) {}
