package dev.finetune.trainer.cli;

import static dev.finetune.trainer.cli.RecipeFlag.each;
import static dev.finetune.trainer.cli.RecipeFlag.many;
import static dev.finetune.trainer.cli.RecipeFlag.onOff;
import static dev.finetune.trainer.cli.RecipeFlag.one;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The flags of the data set. */
final class DatasetFlags {
  /** default is ms-swift's word for all answers. */
  private static final FlagWords SUPERVISION =
      new FlagWords(
          "--loss_scale", Map.of("default", "Answers", "last_round", "LastAnswer", "all", "All"));

  private static final FlagWords INVALID_ROWS =
      new FlagWords(
          "--check_dataset_strategy",
          Map.of("error", "Fail", "none", "Fail", "discard", "Skip", "warning", "Skip"));

  static final List<RecipeFlag> ALL =
      List.of(
          many(
              "dataset.train",
              each(FlagValues::dataset),
              "--dataset",
              "--custom_train_dataset_path"),
          many(
              "dataset.validation.sources",
              each(FlagValues::dataset),
              "--val_dataset",
              "--custom_val_dataset_path"),
          one(
              "dataset.validation.fraction",
              FlagValues::number,
              "--split_dataset_ratio",
              "--dataset_test_ratio"),
          onOff(
              "dataset.shuffle", FlagValues::flag, "--dataset_shuffle", "--train_dataset_shuffle"),
          one("dataset.supervise", SUPERVISION, "--loss_scale"),
          onOff("dataset.invalidRows", DatasetFlags::strict, "--strict"),
          one("dataset.invalidRows", INVALID_ROWS, "--check_dataset_strategy"),
          onOff("dataset.validation.scores", DatasetFlags::scores, "--predict_with_generate")
              .noting(
                  values ->
                      Optional.of(
                          "the best checkpoint is that of the lowest loss; the scores are logged")),
          one("dataset.validation.answerTokens", FlagValues::number, "--max_new_tokens"),
          // The second name is LLaMA-Factory's; ms-swift reads paths from its working folder.
          one("dataset.imageFolder", FlagValues::location, "--image_folder", "--media_dir"));

  private DatasetFlags() {}

  private static JsonNode strict(String value) {
    JsonNode on = FlagValues.flag(value);
    return on.isBoolean() ? FlagValues.text(on.booleanValue() ? "Fail" : "Skip") : on;
  }

  private static JsonNode scores(String value) {
    JsonNode on = FlagValues.flag(value);
    if (!on.isBoolean()) {
      return on;
    }
    ArrayNode scores = JsonNodeFactory.instance.arrayNode();
    return on.booleanValue() ? scores.add("RougeL").add("Bleu") : null;
  }
}
