package dev.finetune.trainer.cli;

import static dev.finetune.trainer.cli.RecipeFlag.each;
import static dev.finetune.trainer.cli.RecipeFlag.many;
import static dev.finetune.trainer.cli.RecipeFlag.onOff;
import static dev.finetune.trainer.cli.RecipeFlag.one;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** The flags that ms-swift has for what a recipe says, by their 3.x and their 2.x name. */
final class RecipeFlags {
  private static final Map<String, String> TEMPLATES =
      sorted(Map.of("auto", "Auto", "chatml", "ChatML", "llama3", "Llama3", "zephyr", "Zephyr"));
  private static final Map<String, String> OVERLONG =
      sorted(
          Map.of(
              "delete",
              "Drop",
              "left",
              "TruncateLeft",
              "truncation_left",
              "TruncateLeft",
              "right",
              "TruncateRight"));
  private static final Map<String, String> PRECISIONS =
      sorted(
          Map.of(
              "auto",
              "Auto",
              "bf16",
              "BF16",
              "bfloat16",
              "BF16",
              "fp32",
              "FP32",
              "float32",
              "FP32"));
  private static final Map<String, String> SCHEDULES =
      sorted(
          Map.of(
              "constant",
              "Constant",
              "constant_with_warmup",
              "Constant",
              "linear",
              "Linear",
              "cosine",
              "Cosine"));
  private static final Map<String, String> METHODS = Map.of("lora", "lora");
  private static final Map<String, String> BACKENDS = Map.of("peft", "peft");

  /** ms-swift's value for no limit. */
  private static final String UNLIMITED = "-1";

  private static final int LONGEST = 1048576;

  static final List<RecipeFlag> ALL =
      List.of(
          one("model.source", FlagValues::location, "--model", "--model_id_or_path"),
          one("model.template", words("--template", TEMPLATES), "--template", "--template_type"),
          one("model.systemPrompt", FlagValues::text, "--system"),
          many("dataset.train", each(FlagValues::dataset), "--dataset"),
          many("dataset.validation.sources", each(FlagValues::dataset), "--val_dataset"),
          one(
              "dataset.validation.fraction",
              FlagValues::number,
              "--split_dataset_ratio",
              "--dataset_test_ratio"),
          onOff(
              "dataset.shuffle", FlagValues::flag, "--dataset_shuffle", "--train_dataset_shuffle"),
          one(
              "method.lora",
              only("--train_type", METHODS),
              "--train_type",
              "--sft_type",
              "--tuner_type"),
          one("method.lora", only("--tuner_backend", BACKENDS), "--tuner_backend"),
          one("method.lora.rank", FlagValues::number, "--lora_rank"),
          one("method.lora.alpha", FlagValues::number, "--lora_alpha"),
          one("method.lora.dropout", FlagValues::number, "--lora_dropout", "--lora_dropout_p"),
          many(
              "method.lora.targetModules",
              FlagValues::targetModules,
              "--target_modules",
              "--lora_target_modules"),
          onOff("method.lora.variant", RecipeFlags::variant, "--use_rslora"),
          one("training.epochs", FlagValues::number, "--num_train_epochs"),
          one("training.maxSteps", RecipeFlags::limit, "--max_steps"),
          one("training.learningRate", FlagValues::number, "--learning_rate"),
          one("training.schedule", words("--lr_scheduler_type", SCHEDULES), "--lr_scheduler_type"),
          one("training.warmupRatio", FlagValues::number, "--warmup_ratio"),
          one("training.weightDecay", FlagValues::number, "--weight_decay"),
          one("training.adamBeta1", FlagValues::number, "--adam_beta1"),
          one("training.adamBeta2", FlagValues::number, "--adam_beta2"),
          one("training.adamEpsilon", FlagValues::number, "--adam_epsilon"),
          one("training.maxGradNorm", FlagValues::number, "--max_grad_norm"),
          one(
              "training.batchSize",
              FlagValues::number,
              "--per_device_train_batch_size",
              "--batch_size"),
          one(
              "training.gradientAccumulationSteps",
              FlagValues::number,
              "--gradient_accumulation_steps"),
          one("training.maxLength", RecipeFlags::length, "--max_length"),
          one(
              "training.overlong",
              words("--truncation_strategy", OVERLONG),
              "--truncation_strategy"),
          onOff("training.packing", FlagValues::flag, "--packing"),
          onOff("training.groupByLength", FlagValues::flag, "--group_by_length"),
          one("training.precision", words("--torch_dtype", PRECISIONS), "--torch_dtype", "--dtype"),
          onOff("training.gradientCheckpointing", FlagValues::flag, "--gradient_checkpointing"),
          one("training.seed", FlagValues::number, "--seed"),
          one("training.loggingSteps", FlagValues::number, "--logging_steps"),
          one("training.evalSteps", FlagValues::number, "--eval_steps"),
          one("training.saveSteps", FlagValues::number, "--save_steps"),
          one("training.keepCheckpoints", FlagValues::number, "--save_total_limit"),
          one("output.destination", FlagValues::location, "--output_dir"));

  private RecipeFlags() {}

  private static Function<String, JsonNode> words(String flag, Map<String, String> words) {
    return value -> FlagValues.word(flag, value, words);
  }

  /** A flag that says what is so in any case: another word is refused, this one changes nothing. */
  private static Function<String, JsonNode> only(String flag, Map<String, String> words) {
    return value -> {
      FlagValues.word(flag, value, words);
      return null;
    };
  }

  private static Map<String, String> sorted(Map<String, String> words) {
    return new TreeMap<>(words);
  }

  private static JsonNode variant(String value) {
    JsonNode on = FlagValues.flag(value);
    return on.isBoolean() ? FlagValues.text(on.booleanValue() ? "RankStabilized" : "Standard") : on;
  }

  private static JsonNode limit(String value) {
    return value.equals(UNLIMITED) ? null : FlagValues.number(value);
  }

  private static JsonNode length(String value) {
    return value.equals(UNLIMITED) ? IntNode.valueOf(LONGEST) : FlagValues.number(value);
  }
}
