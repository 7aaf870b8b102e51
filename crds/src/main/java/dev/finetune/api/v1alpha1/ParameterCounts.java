package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** Sizes of the model and of what is trained. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ParameterCounts(
    @JsonPropertyDescription("Numbers that training changes.") Long trainable,
    @JsonPropertyDescription("Numbers of the base model and the adapter together.") Long total) {}
