package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** The rows that are never trained on. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ValidationOptions(
    @JsonPropertyDescription(
            "Share of the training rows that is held out, drawn with the seed, 0 to 0.5; 0 trains"
                + " without validation; at least one row otherwise. Ignored where sources are given."
                + " Default 0.01.")
        @Default("0.01")
        @Min(0)
        @Max(0.5)
        Double fraction,
    @JsonPropertyDescription("Files to validate with, instead of a fraction; at most 32.")
        @Size(max = 32)
        List<DatasetSource> sources,
    @JsonPropertyDescription(
            "Scores of answers that the model writes to validation rows with each evaluation:"
                + " ExactMatch, RougeL, Bleu. Writing takes far longer than the loss does. Default"
                + " none.")
        @Size(max = 3)
        List<GenerationScore> scores,
    @JsonPropertyDescription(
            "Validation rows that answers are written to, the first ones, 1 to 10000. Default 32.")
        @Default("32")
        @Min(1)
        @Max(10000)
        Integer scoredRows,
    @JsonPropertyDescription("Longest answer written, in tokens, 1 to 4096. Default 128.")
        @Default("128")
        @Min(1)
        @Max(4096)
        Integer answerTokens) {}
