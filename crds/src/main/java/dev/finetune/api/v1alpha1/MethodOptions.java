package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Objects;
import java.util.stream.Stream;

/** How the model is tuned: exactly one of the fields. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "[has(self.lora), has(self.full), has(self.prefixTuning), has(self.promptTuning),"
            + " has(self.ia3), has(self.adapter)].exists_one(given, given)",
    message = "exactly one method must be given: " + MethodOptions.NAMES)
public record MethodOptions(
    @JsonPropertyDescription(
            "Low-rank adaptation: W + (alpha / rank) B A with W frozen (arXiv:2106.09685).")
        LoraOptions lora,
    @JsonPropertyDescription("Full fine-tuning: the weights themselves.") FullOptions full,
    @JsonPropertyDescription(
            "Prefix tuning: keys and values that every layer's attention sees before the text's"
                + " (arXiv:2101.00190).")
        PrefixTuningOptions prefixTuning,
    @JsonPropertyDescription(
            "Prompt tuning: embeddings that are put before the text's (arXiv:2104.08691).")
        PromptTuningOptions promptTuning,
    @JsonPropertyDescription(
            "IA3: vectors that scale keys, values and the MLP's inner activations (arXiv:2205.05638).")
        Ia3Options ia3,
    @JsonPropertyDescription(
            "Bottleneck adapters: a small network behind attention and behind the MLP of every layer"
                + " (arXiv:1902.00751).")
        AdapterOptions adapter) {

  /** The methods' names, for messages. */
  public static final String NAMES = "lora, full, prefixTuning, promptTuning, ia3, adapter";

  /** How many methods are given; only one is valid. */
  public long given() {
    return Stream.of(lora, full, prefixTuning, promptTuning, ia3, adapter)
        .filter(Objects::nonNull)
        .count();
  }
}
