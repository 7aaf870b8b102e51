package dev.finetune.trainer.cli;

import dev.finetune.api.v1alpha1.ModelOptions;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import dev.finetune.trainer.data.ConversationForm;
import dev.finetune.trainer.data.DatasetPreparation;
import dev.finetune.trainer.data.PreparedDataset;
import dev.finetune.trainer.data.RowPictures;
import dev.finetune.trainer.data.Tokenizer;
import dev.finetune.trainer.model.PictureInput;
import dev.finetune.trainer.picture.Tiling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Optional;

/**
 * Reads and checks every row of a recipe before anything large is loaded; the same for {@code sft}
 * and {@code plan}.
 *
 * @param recipe what is trained
 * @param locations where its sources lie
 */
record DataCheck(Recipe recipe, Locations locations) {
  /**
   * The folder of the base model.
   *
   * @throws TrainerException MODEL if it isn't there
   */
  Path modelPath() {
    Path path = locations.resolve(recipe.model().source());
    if (!Files.isDirectory(path)) {
      throw new TrainerException(
          TrainerExit.MODEL,
          "the model folder %s doesn't exist or isn't a folder; it must be one in Hugging Face's layout"
              .formatted(locations.describe(recipe.model().source())));
    }
    return path;
  }

  /** How the model's pictures are cut for this recipe; empty where it takes text alone. */
  Optional<Tiling> tiling() {
    return PictureInput.of(modelPath(), recipe.model().maxTiles());
  }

  /**
   * How conversations become tokens.
   *
   * @param clock the date for templates that write it
   * @throws TrainerException MODEL if the model has no template, or one that can't be used
   */
  ConversationForm form(Tokenizer tokenizer, Clock clock) {
    ModelOptions model = recipe.model();
    return ConversationForm.load(
        modelPath(), model.template(), clock, tokenizer, tiling(), model.systemPrompt());
  }

  /**
   * Prepares the data.
   *
   * @param tokenizer that of the model
   * @param date today, for templates that write it
   * @throws TrainerException DATA if rows are wrong, listing them
   */
  PreparedDataset prepare(Tokenizer tokenizer, LocalDate date) {
    Clock clock = Clock.fixed(date.atStartOfDay(ZoneOffset.UTC).toInstant(), ZoneOffset.UTC);
    return new DatasetPreparation(
            () -> form(tokenizer, clock),
            tokenizer,
            RowPictures.fromFiles(tiling()),
            recipe.model().systemPrompt(),
            locations::resolve)
        .prepare(recipe.dataset(), recipe.training());
  }
}
