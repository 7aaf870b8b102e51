package dev.finetune.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

/** Which parts of a model for pictures stay as they are; the defaults are ms-swift 2's. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FreezeOptions(
    @JsonPropertyDescription("Freezes the language model. Default false.") Boolean languageModel,
    @JsonPropertyDescription(
            "Freezes the projector, which turns the tower's features into embeddings. Default false.")
        Boolean projector,
    @JsonPropertyDescription("Freezes the vision tower. Default true.") Boolean visionTower) {

  /** What stays frozen where nothing is said. */
  public static final FreezeOptions DEFAULT = new FreezeOptions(false, false, true);

  /** The same with the defaults where a field is null. */
  public FreezeOptions resolved() {
    return new FreezeOptions(
        languageModel == null ? DEFAULT.languageModel : languageModel,
        projector == null ? DEFAULT.projector : projector,
        visionTower == null ? DEFAULT.visionTower : visionTower);
  }
}
