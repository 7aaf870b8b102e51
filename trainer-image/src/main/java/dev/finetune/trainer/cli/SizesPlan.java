package dev.finetune.trainer.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.finetune.api.v1alpha1.ParameterCounts;
import dev.finetune.trainer.picture.Tiling;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code plan --without_data} finds from a model's config.json alone.
 *
 * @param parameters numbers of the model, and of what trains
 * @param maxLength tokens of a row at most, which each device's share is counted for
 * @param pictures what a picture takes; null where the model takes text alone
 * @param devices what each device of a rank holds
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record SizesPlan(
    ParameterCounts parameters, int maxLength, Pictures pictures, List<RunPlan.Device> devices) {

  /**
   * Tokens of pictures.
   *
   * @param tokensPerTile of a tile
   * @param mostTokens of the largest picture
   * @param tilesOfRow tiles that a row of maxLength has room for at most, with no text beside
   */
  record Pictures(int tokensPerTile, int mostTokens, int tilesOfRow) {
    static Pictures of(Tiling tiling, int maxLength) {
      return new Pictures(
          tiling.tokensPerTile(), tiling.mostTokens(), maxLength / tiling.tokensPerTile());
    }
  }

  /** As a person reads it. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        PlanText.line(
            "model", "%,d numbers, %,d that train", parameters.total(), parameters.trainable()));
    if (pictures != null) {
      lines.add(
          PlanText.line(
              "pictures",
              "a tile takes %,d tokens, a picture up to %,d; a row of maxLength %,d has room for %,d tiles",
              pictures.tokensPerTile(),
              pictures.mostTokens(),
              maxLength,
              pictures.tilesOfRow()));
    }
    lines.addAll(PlanText.devices(devices));
    return lines;
  }
}
