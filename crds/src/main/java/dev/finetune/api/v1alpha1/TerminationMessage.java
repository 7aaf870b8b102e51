package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/**
 * The trainer's last words, written as JSON to the container's termination message file. Kubernetes
 * keeps at most 4096 bytes of it, so the oldest epochs are left out where it would be longer.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TerminationMessage(
    @JsonPropertyDescription("The exit code by name.") TrainerExit exit,
    @JsonPropertyDescription("What happened and what to do about it.") String message,
    @JsonPropertyDescription(
            "The last lines of the log, where the trainer failed; at most 1500 bytes of UTF-8.")
        String log,
    @JsonPropertyDescription("The rank that failed first; absent where one trains alone.")
        Integer rank,
    @JsonPropertyDescription("The last progress.") Progress progress) {

  /** Longest message that Kubernetes keeps, in bytes. */
  public static final int MAX_BYTES = 4096;

  /** Longest {@link #log}, in bytes. */
  public static final int MAX_LOG_BYTES = 1500;

  /** Last words of a trainer that ran alone. */
  public TerminationMessage(TrainerExit exit, String message, String log, Progress progress) {
    this(exit, message, log, null, progress);
  }
}
