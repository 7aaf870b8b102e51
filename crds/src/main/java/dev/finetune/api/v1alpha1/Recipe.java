package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;

/**
 * The part of the spec that the trainer reads. The operator hands it over as recipe.yaml; the same
 * file can be written by hand for {@code trainer sft --recipe}.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "!has(self.output.merge) || !self.output.merge || !has(self.method) || has(self.method.lora)",
    message = Recipe.MERGE_RULE)
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
        OutputOptions output) {

  /** What an output with {@code merge} asks of the method. */
  public static final String MERGE_RULE =
      "output.merge merges a LoRA adapter into the model's weights; leave it out, as this method's"
          + " result is a model already or can't be merged";

  /** Whether {@code output.merge} fits the method. */
  public boolean canMerge() {
    return output == null || !Boolean.TRUE.equals(output.merge()) || method.lora() != null;
  }
}
