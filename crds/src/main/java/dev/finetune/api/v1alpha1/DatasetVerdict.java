package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** What the check of every row found, before any weight was loaded. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DatasetVerdict(
    @JsonPropertyDescription("Rows read.") Integer rows,
    @JsonPropertyDescription("Rows trained on.") Integer trainRows,
    @JsonPropertyDescription("Rows held out for validation.") Integer validationRows,
    @JsonPropertyDescription(
            "Rows left out because they are longer than maxLength or have nothing to learn within it.")
        Integer dropped,
    @JsonPropertyDescription("Tokens of the training rows that the loss counts, per epoch.")
        Long supervisedTokens,
    @JsonPropertyDescription("Longest training row in tokens.") Integer maxLength) {}
