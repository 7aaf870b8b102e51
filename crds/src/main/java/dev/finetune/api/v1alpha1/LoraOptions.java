package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** Low-rank adaptation (arXiv:2106.09685). */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record LoraOptions(
    @JsonPropertyDescription("Rank of the update, 1 to 1024. Default 16.")
        @Default("16")
        @Min(1)
        @Max(1024)
        Integer rank,
    @JsonPropertyDescription(
            "Numerator of the update's scale, above 0; the scale is alpha / rank. Default 32.")
        @Default("32")
        @Min(value = 0, inclusive = false)
        Double alpha,
    @JsonPropertyDescription(
            "Probability with which an element of the adapter's input is zeroed in training, 0 to"
                + " below 1. Default 0.05.")
        @Default("0.05")
        @Min(0)
        @Max(value = 1, inclusive = false)
        Double dropout,
    @JsonPropertyDescription(
            "Linear layers to adapt: all-linear (every one but the head), or names such as q_proj and"
                + " v_proj, each the last part of a module's path or the whole path; 1 to 256."
                + " Default [all-linear].")
        @Default("[\"all-linear\"]")
        @Size(min = 1, max = 256)
        List<@Size(min = 1, max = 253) String> targetModules,
    @JsonPropertyDescription(
            "Standard scales by alpha / rank, RankStabilized by alpha / sqrt(rank) (arXiv:2312.03732)."
                + " Default Standard.")
        @Default("\"Standard\"")
        LoraVariant variant) {}
