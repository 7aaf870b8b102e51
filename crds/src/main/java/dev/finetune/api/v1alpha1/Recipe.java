package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;

/**
 * The part of the spec that the trainer reads. The operator hands it over as recipe.yaml; the same
 * file can be written by hand for {@code trainer sft --recipe}.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Recipe(
    @JsonPropertyDescription("The base model and how its chats are written.") @Required
        ModelOptions model,
    @JsonPropertyDescription("The rows to train on and to validate with.") @Required
        DatasetOptions dataset,
    @JsonPropertyDescription("How the model is tuned: exactly one of the methods.") @Required
        MethodOptions method,
    @JsonPropertyDescription("The training loop's settings.") @Default("{}")
        TrainingOptions training,
    @JsonPropertyDescription("Where the adapter, the checkpoints and the logs go.") @Required
        OutputOptions output) {}
