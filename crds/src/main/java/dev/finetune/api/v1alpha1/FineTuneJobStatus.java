package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PrinterColumn;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/** What the operator observed; every part is absent until it was first seen. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FineTuneJobStatus(
    @JsonPropertyDescription("Generation of the spec that this status answers.")
        Long observedGeneration,
    @JsonPropertyDescription("The conditions in one word.") @PrinterColumn(name = "PHASE")
        Phase phase,
    @JsonPropertyDescription("What is going on, and what to do about it, in one sentence.")
        @PrinterColumn(name = "MESSAGE", priority = 1)
        String message,
    @JsonPropertyDescription("Accepted, Scheduled, Running, Suspended, Succeeded and Failed.")
        List<Condition> conditions,
    @JsonPropertyDescription("Where training stands.") TrainingProgress training,
    @JsonPropertyDescription("One entry per finished epoch, oldest first; the last 100.")
        List<EpochResult> epochs,
    @JsonPropertyDescription("The checkpoints that matter; only those whose manifest verified.")
        Checkpoints checkpoints,
    @JsonPropertyDescription("What the check of every row found before training.")
        DatasetVerdict dataset,
    @JsonPropertyDescription("Sizes of the model and of what is trained.")
        ParameterCounts parameters,
    @JsonPropertyDescription("Where the results are; set when the job succeeded.")
        TrainingResult result,
    @JsonPropertyDescription("The attempts, oldest first; the last 10.") List<Attempt> attempts,
    @JsonPropertyDescription(
            "Attempts that failed, counted against retry.maxRestarts; interruptions are not among"
                + " them.")
        Integer failedAttempts,
    @JsonPropertyDescription(
            "Seconds for which the trainer ran, over all attempts, up to the last time that it"
                + " stopped; counted against deadlines.activeSeconds.")
        Long activeSeconds,
    @JsonPropertyDescription(
            "When the trainer's progress changed last, RFC 3339; deadlines.stallSeconds counts from"
                + " it.")
        String lastProgressTime) {

  /** The status of a job that nobody has looked at yet. */
  public static final FineTuneJobStatus NONE =
      new FineTuneJobStatus(
          null, null, null, null, null, null, null, null, null, null, null, null, null, null);
}
