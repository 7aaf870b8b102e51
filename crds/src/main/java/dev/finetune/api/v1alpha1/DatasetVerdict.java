package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** What the check of every row found, before any weight was loaded. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DatasetVerdict(
    @JsonPropertyDescription("Rows read.") Integer rows,
    @JsonPropertyDescription("Rows trained on.") Integer trainRows,
    @JsonPropertyDescription("Rows held out for validation.") Integer validationRows,
    @JsonPropertyDescription("Rows left out because they are longer than maxLength.")
        Integer dropped,
    @JsonPropertyDescription("Rows left out because the loss counts no token of theirs.")
        Integer unsupervised,
    @JsonPropertyDescription("Rows left out because they can't be read (invalidRows Skip).")
        Integer skipped,
    @JsonPropertyDescription("Rows cut to maxLength.") Integer truncated,
    @JsonPropertyDescription(
            "Rows cut so that the token that ends the answer is gone: the model learns from them not"
                + " to stop.")
        Integer withoutEnd,
    @JsonPropertyDescription(
            "Tokens of the training rows that the loss counts, per epoch; in the mean where a weight"
                + " has a fraction.")
        Long supervisedTokens,
    @JsonPropertyDescription("All tokens of the training rows, per epoch; likewise.") Long tokens,
    @JsonPropertyDescription("Longest training row in tokens.") Integer maxLength) {}
