package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** One try at the job: one Kubernetes Job. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Attempt(
    @JsonPropertyDescription("Number of the attempt, from 1.") Integer number,
    @JsonPropertyDescription("Name of its Job.") String job,
    @JsonPropertyDescription("When its Job was created, RFC 3339.") String startTime,
    @JsonPropertyDescription("When its last container ended, or its end was seen, RFC 3339.")
        String endTime,
    @JsonPropertyDescription("Running, Succeeded, Failed or Interrupted.") AttemptOutcome outcome,
    @JsonPropertyDescription("Why it ended.") ConditionReason reason,
    @JsonPropertyDescription("The trainer's exit code.") Integer exitCode,
    @JsonPropertyDescription("Node of the pod that failed first; where none did, of pod 0.")
        String node,
    @JsonPropertyDescription("Rank that failed first; absent where none did, or one trains alone.")
        Integer rank,
    @JsonPropertyDescription("The trainer's last words, or the cluster's.") String message,
    @JsonPropertyDescription(
            "The last lines of the trainer's log, where it failed; at most 1500 bytes.")
        String log,
    @JsonPropertyDescription(
            "How often its queue took the GPUs back; it went on as the same attempt.")
        Integer preemptions,
    @JsonPropertyDescription("Step of the checkpoint that it went on from; 0 from the start.")
        Integer resumedFromStep,
    @JsonPropertyDescription("Steps that were done but are in no checkpoint.") Integer lostSteps,
    @JsonPropertyDescription("GPUs times the seconds for which its pods held them.")
        Long gpuSeconds) {}
