package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import java.util.Map;

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
                + " v_proj, each the last part of a module's path or the whole path, embed_tokens and"
                + " lm_head included; 1 to 256."
                + " Default [all-linear].")
        @Default("[\"all-linear\"]")
        @Size(min = 1, max = 256)
        List<@Size(min = 1, max = 253) String> targetModules,
    @JsonPropertyDescription(
            "Standard scales by alpha / rank, RankStabilized by alpha / sqrt(rank) (arXiv:2312.03732),"
                + " DoRA trains the length of W's rows apart from their direction (arXiv:2402.09353)."
                + " Default Standard.")
        @Default("\"Standard\"")
        LoraVariant variant,
    @JsonPropertyDescription(
            "What A and B start from: Default (A random, B zero) or PiSSA (W's principal singular"
                + " vectors, arXiv:2404.02948). Default Default.")
        @Default("\"Default\"")
        LoraInitialization initialization,
    @JsonPropertyDescription(
            "B learns at this many times the learning rate (LoRA+, arXiv:2402.12354); at least 1."
                + " Default none: A and B at the same.")
        @Min(1)
        Double learningRateRatio,
    @JsonPropertyDescription(
            "Learning rate of the adapter of an embedding where learningRateRatio is given, above 0"
                + " and at most 1. Default 0.000001, as in LoRA+.")
        @Min(value = 0, inclusive = false)
        @Max(1)
        Double embeddingLearningRate,
    @JsonPropertyDescription(
            "Rank of the modules that a regular expression matches, instead of rank; the expression"
                + " is that of a path's end such as q_proj or layers.0.mlp.up_proj.")
        Map<String, @Min(1) @Max(1024) Integer> rankPattern,
    @JsonPropertyDescription("Alpha of the modules that a regular expression matches, likewise.")
        Map<String, @Min(value = 0, inclusive = false) Double> alphaPattern) {}
