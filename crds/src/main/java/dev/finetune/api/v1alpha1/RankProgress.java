package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/**
 * How fast the ranks of a run compute. All take the same steps, so one that is slower than the
 * others makes them wait; the speeds here count a rank's own work and not its waiting.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RankProgress(
    @JsonPropertyDescription("Ranks that train together.") Integer count,
    @JsonPropertyDescription(
            "Tokens per second of the middle one of all ranks, over the last logged steps.")
        Double medianTokensPerSecond,
    @JsonPropertyDescription("The rank that took longest in the last logged steps.")
        Integer slowest,
    @JsonPropertyDescription("Pod or host of the slowest rank.") String slowestHost,
    @JsonPropertyDescription("Tokens per second of the slowest rank.")
        Double slowestTokensPerSecond) {}
