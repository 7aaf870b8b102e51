package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;

/**
 * What a user asks for. Everything has a default but the recipe's model, data, method and output.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FineTuneJobSpec(
    @JsonPropertyDescription(
            "What the trainer does: model, data, method, training and output. Immutable once the"
                + " first attempt has started.")
        @Required
        Recipe recipe,
    @JsonPropertyDescription(
            "The hardware of the trainer's pod. A change takes effect with the next attempt.")
        @Default("{}")
        ResourceOptions resources,
    @JsonPropertyDescription(
            "Where and how the trainer's pod runs. A change takes effect with the next attempt.")
        @Default("{}")
        PodOptions pod,
    @JsonPropertyDescription(
            "True ends the running attempt after it has saved a checkpoint and frees its GPUs; false"
                + " or absent starts the next attempt from that checkpoint. No default, because"
                + " queueing controllers set it. May change at any time.")
        Boolean suspend,
    @JsonPropertyDescription("What happens after an attempt failed. May change at any time.")
        @Default("{}")
        RetryPolicy retry) {}
