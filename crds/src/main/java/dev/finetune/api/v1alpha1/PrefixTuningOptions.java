package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** Prefix tuning (arXiv:2101.00190). */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PrefixTuningOptions(
    @JsonPropertyDescription("Positions of the prefix, 1 to 1024. Default 20.")
        @Default("20")
        @Min(1)
        @Max(1024)
        Integer virtualTokens) {}
