package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.Map;

/** One data file. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DatasetSource(
    @JsonPropertyDescription(
            "A .json file (an array of rows), .jsonl (a row a line), .csv (with a line of column names),"
                + " .parquet or .txt (a text a line): pvc://CLAIM/PATH, or file:///PATH where the"
                + " cluster is this machine.")
        @Required
        @Pattern(Sources.PATTERN)
        @Size(max = 1024)
        String source,
    @JsonPropertyDescription(
            "The rows' shape: Alpaca (instruction, input, output, system, history), Messages (role,"
                + " content), ShareGPT (conversations of from, value), QueryResponse (query, response,"
                + " system, history), PromptCompletion (prompt, completion) or Text (text). Default"
                + " Auto: by the first row's columns.")
        @Default("\"Auto\"")
        DatasetFormat format,
    @JsonPropertyDescription(
            "Number of rows to take from this file, drawn with the seed; at least 1. Default all.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer sample,
    @JsonPropertyDescription(
            "Names of this file's columns that stand for the format's, such as output: answer.")
        Map<String, @Size(min = 1, max = 253) String> columns,
    @JsonPropertyDescription(
            "How often each row is taken in an epoch, above 0 and at most 1000: 2 takes it twice, 0.5"
                + " takes half of the rows, drawn anew for each epoch. Default 1.")
        @Min(value = 0, inclusive = false)
        @Max(1000)
        Double weight) {}
