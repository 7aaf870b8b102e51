package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/**
 * What a user asks for. Everything has a default but the recipe's model, data, method and output.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "has(self.managedBy) == has(oldSelf.managedBy)"
            + " && (!has(self.managedBy) || self.managedBy == oldSelf.managedBy)",
    message = "managedBy is immutable; create a new FineTuneJob for another controller")
public record FineTuneJobSpec(
    @JsonPropertyDescription(
            "What the trainer does: model, data, method, training and output. Immutable once the"
                + " first attempt has started.")
        @Required
        Recipe recipe,
    @JsonPropertyDescription(
            "The hardware of the trainer's pods. A change takes effect with the next attempt.")
        @Default("{}")
        ResourceOptions resources,
    @JsonPropertyDescription(
            "Where and how the trainer's pods run. A change takes effect with the next attempt.")
        @Default("{}")
        PodOptions pod,
    @JsonPropertyDescription(
            "Kueue's LocalQueue, in the job's namespace, that decides when an attempt may run. Labels"
                + " of the FineTuneJob that begin with kueue.x-k8s.io/ are copied to the Job. Default"
                + " none. A change takes effect with the next attempt.")
        @Pattern("^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")
        @Size(max = 63)
        String queueName,
    @JsonPropertyDescription(
            "The controller that this job is for. Absent or finetune.dev/operator is this operator;"
                + " of a job with another value it writes nothing at all. Immutable.")
        @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
        @Size(max = 63)
        String managedBy,
    @JsonPropertyDescription(
            "True ends the running attempt after it has saved a checkpoint and frees its GPUs; false"
                + " or absent starts the next attempt from that checkpoint. No default, because"
                + " queueing controllers set it. May change at any time.")
        Boolean suspend,
    @JsonPropertyDescription("What happens after an attempt failed. May change at any time.")
        @Default("{}")
        RetryPolicy retry,
    @JsonPropertyDescription("When to give up. May change at any time.") @Default("{}")
        Deadlines deadlines,
    @JsonPropertyDescription(
            "Seconds after the end of the job, for good or ill, after which its Jobs, pods,"
                + " Service and ConfigMap are deleted; at least 0. The FineTuneJob stays, and never runs again. Default never. May"
                + " change at any time.")
        @Min(0)
        @Max(Integer.MAX_VALUE)
        Integer ttlSecondsAfterFinished) {

  /** The value of {@code managedBy} that means this operator, as an absent one does. */
  public static final String OPERATOR = "finetune.dev/operator";
}
