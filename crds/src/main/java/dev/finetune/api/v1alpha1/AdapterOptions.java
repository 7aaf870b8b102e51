package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** Bottleneck adapters (arXiv:1902.00751). */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record AdapterOptions(
    @JsonPropertyDescription("Width of the bottleneck, 1 to 8192. Default 128.")
        @Default("128")
        @Min(1)
        @Max(8192)
        Integer size,
    @JsonPropertyDescription("Function between the two matrices: GELU, ReLU or SiLU. Default GELU.")
        @Default("\"GELU\"")
        Activation activation) {}
