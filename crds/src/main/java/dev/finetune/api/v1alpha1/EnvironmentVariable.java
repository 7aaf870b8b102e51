package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** An environment variable with a value, or with one from a Secret. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "has(self.value) != has(self.secretKeyRef)",
    message = "give either value or secretKeyRef")
public record EnvironmentVariable(
    @JsonPropertyDescription("Name of the variable.")
        @Required
        @Pattern("^[A-Za-z_][A-Za-z0-9_]*$")
        @Size(max = 253)
        String name,
    @JsonPropertyDescription("Its value.") @Size(max = 32768) String value,
    @JsonPropertyDescription("A key of a Secret in the job's namespace that holds its value.")
        SecretKey secretKeyRef) {

  /** A key of a Secret. */
  public record SecretKey(
      @JsonPropertyDescription("Name of the Secret.") @Required @Size(max = 253) String name,
      @JsonPropertyDescription("Key in the Secret.") @Required @Size(max = 253) String key) {}
}
