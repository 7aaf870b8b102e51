package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.List;

/** What the trainer answers to GET /progress. It is cumulative: a missed answer loses nothing. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Progress(
    @JsonPropertyDescription("Where training stands.") TrainingProgress training,
    @JsonPropertyDescription("All epochs so far, those of earlier attempts included.")
        List<EpochResult> epochs,
    @JsonPropertyDescription("The checkpoints that matter.") Checkpoints checkpoints,
    @JsonPropertyDescription("What the check of every row found.") DatasetVerdict dataset,
    @JsonPropertyDescription("Sizes of the model and of what is trained.")
        ParameterCounts parameters,
    @JsonPropertyDescription("Where the results are; set at the end.") TrainingResult result,
    @JsonPropertyDescription("What the run goes on in spite of, the newest last.")
        List<String> warnings) {

  /** Path of the HTTP resource. */
  public static final String PATH = "/progress";

  /** Port of the HTTP resource in the trainer's pod. */
  public static final int PORT = 8080;

  /** Nothing is known yet. */
  public static final Progress NONE = new Progress(null, null, null, null, null, null);

  /** Progress without a warning. */
  public Progress(
      TrainingProgress training,
      List<EpochResult> epochs,
      Checkpoints checkpoints,
      DatasetVerdict dataset,
      ParameterCounts parameters,
      TrainingResult result) {
    this(training, epochs, checkpoints, dataset, parameters, result, null);
  }
}
