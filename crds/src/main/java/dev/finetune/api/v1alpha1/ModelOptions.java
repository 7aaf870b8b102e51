package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** The base model, a folder in Hugging Face's layout. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ModelOptions(
    @JsonPropertyDescription(
            "Folder with config.json, safetensors weights and tokenizer.json:"
                + " pvc://CLAIM/PATH, or file:///PATH where the cluster is this machine.")
        @Required
        @Pattern(Sources.PATTERN)
        @Size(max = 1024)
        String source,
    @JsonPropertyDescription(
            "The chat template: Auto takes the tokenizer's own, or the one that an InternVL model"
                + " was trained with; ChatML, Llama3, Zephyr, InternVL2 and InternVL2_5 are built in,"
                + " for a model that has none. Default Auto.")
        @Default("\"Auto\"")
        ChatTemplateName template,
    @JsonPropertyDescription(
            "System turn put before every conversation that has none of its own. Default none, and"
                + " then the template decides.")
        @Size(max = 8192)
        String systemPrompt,
    @JsonPropertyDescription(
            "How the frozen weights of linear layers are stored: None, or NF4, in four bits"
                + " (arXiv:2305.14314). Not with method.full. Default None.")
        @Default("\"None\"")
        Quantization quantization,
    @JsonPropertyDescription(
            "Tiles that a picture is cut into at most, beside the thumbnail that a picture of several"
                + " has; each takes the same number of tokens, 256 in InternVL2. Default: as the"
                + " model's configuration has it, 12 in InternVL2.")
        @Min(1)
        @Max(64)
        Integer maxTiles,
    @JsonPropertyDescription(
            "Parts of a model for pictures that don't train. Default: the vision tower.")
        FreezeOptions freeze) {}
