package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;

/** Prompt tuning (arXiv:2104.08691). */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PromptTuningOptions(
    @JsonPropertyDescription("Positions of the prompt, 1 to 1024. Default 20.")
        @Default("20")
        @Min(1)
        @Max(1024)
        Integer virtualTokens,
    @JsonPropertyDescription(
            "Text whose tokens' embeddings the prompt starts from, repeated or cut to its length."
                + " Default none: embeddings of tokens drawn with the seed.")
        @Size(min = 1, max = 8192)
        String initialText) {}
