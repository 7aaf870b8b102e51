package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** Where the results go. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record OutputOptions(
    @JsonPropertyDescription(
            "Folder for the adapter, the checkpoints and the logs: pvc://CLAIM/PATH, or file:///PATH"
                + " where the cluster is this machine. A folder that holds checkpoints of the same"
                + " recipe is resumed.")
        @Required
        @Pattern(Sources.PATTERN)
        @Size(max = 1024)
        String destination,
    @JsonPropertyDescription(
            "True also writes the model with the adapter merged into its weights, a folder in Hugging"
                + " Face's layout. Default false.")
        @Default("false")
        Boolean merge) {}
