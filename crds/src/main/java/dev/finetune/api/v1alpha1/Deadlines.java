package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** When to give up. Time in a queue, suspended or between attempts counts against none of them. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Deadlines(
    @JsonPropertyDescription(
            "Seconds from an attempt's start, or from its admission by the queue, to a running"
                + " trainer; then the job fails and its pod is deleted. At least 1. Default none.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer pendingSeconds,
    @JsonPropertyDescription(
            "Seconds for which the trainer may run, over all attempts; then it saves a checkpoint and"
                + " the job fails. At least 1. Default none.")
        @Min(1)
        @Max(Integer.MAX_VALUE)
        Integer activeSeconds,
    @JsonPropertyDescription(
            "Seconds for which a running trainer may show no progress; then the attempt fails, and"
                + " is tried again as retry says. Longer than the longest evaluation takes; 0 is never."
                + " Default 1800.")
        @Default("1800")
        @Min(0)
        @Max(Integer.MAX_VALUE)
        Integer stallSeconds) {}
