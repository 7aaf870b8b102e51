package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** What happens after an attempt failed. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RetryPolicy(
    @JsonPropertyDescription(
            "Attempts after the first, 0 to 100. Bad data, a bad model or recipe, and a non-finite"
                + " loss are never tried again. Default 3.")
        @Default("3")
        @Min(0)
        @Max(100)
        Integer maxRestarts,
    @JsonPropertyDescription(
            "Seconds before the first restart, doubled before each further one up to 5 minutes, 0 to"
                + " 3600. Default 10.")
        @Default("10")
        @Min(0)
        @Max(3600)
        Integer backoffSeconds) {}
