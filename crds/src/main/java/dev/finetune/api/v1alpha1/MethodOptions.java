package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.ValidationRule;

/** How the model is tuned. A method that comes later is a field beside {@code lora}. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(value = "has(self.lora)", message = "exactly one method must be given: lora")
public record MethodOptions(
    @JsonPropertyDescription(
            "Low-rank adaptation: W + (alpha / rank) B A with W frozen (arXiv:2106.09685).")
        LoraOptions lora) {}
