package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** One data file. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DatasetSource(
    @JsonPropertyDescription(
            "A .json file (an array of rows) or a .jsonl file (a row a line): pvc://CLAIM/PATH, or"
                + " file:///PATH where the cluster is this machine.")
        @Required
        @Pattern(Sources.PATTERN)
        @Size(max = 1024)
        String source,
    @JsonPropertyDescription(
            "The rows' shape: Alpaca (instruction, input, output, system, history) or Messages (role,"
                + " content). Default Auto: by the first row's columns.")
        @Default("\"Auto\"")
        DatasetFormat format,
    @JsonPropertyDescription(
            "Number of rows to take from this file, drawn with the seed; at least 1. Default all.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer sample) {}
