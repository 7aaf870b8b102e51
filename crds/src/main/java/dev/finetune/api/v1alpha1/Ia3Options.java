package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** Infused adapter by inhibiting and amplifying inner activations (arXiv:2205.05638). */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Ia3Options(
    @JsonPropertyDescription(
            "Linear layers whose result is scaled, or whose input where feedforwardModules names them"
                + " too; names as in lora.targetModules, 1 to 256. Default those of keys and values and"
                + " the MLP's last, as in PEFT: [k_proj, v_proj, down_proj] for most models.")
        @Size(min = 1, max = 256)
        List<@Size(min = 1, max = 253) String> targetModules,
    @JsonPropertyDescription(
            "Those of targetModules whose input is scaled; at most 256. Default the MLP's last.")
        @Size(max = 256)
        List<@Size(min = 1, max = 253) String> feedforwardModules) {}
