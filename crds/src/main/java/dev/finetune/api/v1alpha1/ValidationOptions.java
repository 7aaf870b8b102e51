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
        List<DatasetSource> sources) {}
