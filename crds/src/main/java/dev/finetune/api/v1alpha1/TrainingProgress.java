package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PrinterColumn;

/** Where training stands. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TrainingProgress(
    @JsonPropertyDescription("Passes over the data so far, with the fraction of the running one.")
        Double epoch,
    @JsonPropertyDescription("Passes that the recipe asks for.") Integer totalEpochs,
    @JsonPropertyDescription("epoch/totalEpochs, for the printer column.")
        @PrinterColumn(name = "EPOCH")
        String epochText,
    @JsonPropertyDescription("Optimizer steps done.") @PrinterColumn(name = "STEP") Integer step,
    @JsonPropertyDescription("Optimizer steps in all.") Integer totalSteps,
    @JsonPropertyDescription(
            "Training loss of the last logged steps: mean negative log-likelihood of a supervised token.")
        @PrinterColumn(name = "LOSS")
        Double loss,
    @JsonPropertyDescription(
            "Validation loss of the last evaluation: mean negative log-likelihood of a supervised token.")
        @PrinterColumn(name = "EVAL-LOSS", priority = 1)
        Double evalLoss,
    @JsonPropertyDescription("Learning rate of the last step.") Double learningRate,
    @JsonPropertyDescription("Global L2 norm of the last gradient, before clipping.")
        Double gradientNorm,
    @JsonPropertyDescription("Tokens of all sequences trained per second, padding not counted.")
        Double tokensPerSecond,
    @JsonPropertyDescription("Share of the steps done, 0 to 100.") Integer progressPercentage,
    @JsonPropertyDescription("Estimated seconds to the end, from the speed so far.")
        Long remainingSeconds,
    @JsonPropertyDescription("How fast each rank computes; absent where one trains alone.")
        RankProgress ranks,
    @JsonPropertyDescription(
            "Share of the supervised tokens that the model found most likely over the last logged"
                + " steps, 0 to 1.")
        Double tokenAccuracy,
    @JsonPropertyDescription("exp of the validation loss.") Double evalPerplexity,
    @JsonPropertyDescription(
            "Share of the validation rows' supervised tokens that the model found most likely in the"
                + " last evaluation, 0 to 1.")
        Double evalTokenAccuracy) {

  /** Progress of a run that trains alone, of which only losses are known. */
  public TrainingProgress(
      Double epoch,
      Integer totalEpochs,
      String epochText,
      Integer step,
      Integer totalSteps,
      Double loss,
      Double evalLoss,
      Double learningRate,
      Double gradientNorm,
      Double tokensPerSecond,
      Integer progressPercentage,
      Long remainingSeconds) {
    this(
        epoch,
        totalEpochs,
        epochText,
        step,
        totalSteps,
        loss,
        evalLoss,
        learningRate,
        gradientNorm,
        tokensPerSecond,
        progressPercentage,
        remainingSeconds,
        null,
        null,
        null,
        null);
  }
}
