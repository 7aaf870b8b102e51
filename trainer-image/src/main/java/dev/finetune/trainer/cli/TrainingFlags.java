package dev.finetune.trainer.cli;

import static dev.finetune.trainer.cli.RecipeFlag.onOff;
import static dev.finetune.trainer.cli.RecipeFlag.one;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import java.util.List;
import java.util.Map;

/** The flags of the training loop and of what it writes. */
final class TrainingFlags {
  private static final FlagWords OVERLONG =
      new FlagWords(
          "--truncation_strategy",
          Map.of(
              "delete", "Drop",
              "left", "TruncateLeft",
              "truncation_left", "TruncateLeft",
              "right", "TruncateRight"));
  private static final FlagWords PRECISIONS =
      new FlagWords(
          "--torch_dtype",
          Map.of(
              "auto", "Auto",
              "bf16", "BF16",
              "bfloat16", "BF16",
              "fp32", "FP32",
              "float32", "FP32"));
  private static final FlagWords SCHEDULES =
      new FlagWords(
          "--lr_scheduler_type",
          Map.of(
              "constant", "Constant",
              "constant_with_warmup", "Constant",
              "linear", "Linear",
              "cosine", "Cosine"));

  /** ms-swift's value for no limit. */
  private static final String UNLIMITED = "-1";

  private static final int LONGEST = 1048576;
  private static final int MOST_CHECKPOINTS = 1000;

  static final List<RecipeFlag> ALL =
      List.of(
          one("training.epochs", FlagValues::number, "--num_train_epochs"),
          one("training.maxSteps", TrainingFlags::aboveZero, "--max_steps"),
          one("training.learningRate", FlagValues::number, "--learning_rate"),
          one("training.schedule", SCHEDULES, "--lr_scheduler_type"),
          one("training.warmupRatio", FlagValues::number, "--warmup_ratio"),
          one("training.warmupSteps", TrainingFlags::aboveZero, "--warmup_steps"),
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
          one("training.maxLength", value -> limit(value, LONGEST), "--max_length"),
          one("training.overlong", OVERLONG, "--truncation_strategy"),
          onOff("training.packing", FlagValues::flag, "--packing"),
          onOff("training.groupByLength", FlagValues::flag, "--group_by_length"),
          one("training.precision", PRECISIONS, "--torch_dtype", "--dtype"),
          onOff("training.precision", TrainingFlags::bfloat16, "--bf16"),
          onOff("training.gradientCheckpointing", FlagValues::flag, "--gradient_checkpointing"),
          one(
              "training.neftuneAlpha",
              TrainingFlags::aboveZero,
              "--neftune_noise_alpha",
              "--neftune_alpha"),
          one("training.seed", FlagValues::number, "--seed"),
          one("training.loggingSteps", FlagValues::number, "--logging_steps"),
          one("training.evalSteps", FlagValues::number, "--eval_steps"),
          one("training.saveSteps", FlagValues::number, "--save_steps"),
          one(
              "training.keepCheckpoints",
              value -> limit(value, MOST_CHECKPOINTS),
              "--save_total_limit"),
          one("training.earlyStoppingPatience", FlagValues::number, "--early_stop_interval"),
          one("output.destination", FlagValues::location, "--output_dir"),
          onOff("output.merge", FlagValues::flag, "--merge_lora"));

  private TrainingFlags() {}

  /** A number, which leaves the field alone where it isn't above zero: ms-swift's way to say so. */
  private static JsonNode aboveZero(String value) {
    JsonNode number = FlagValues.number(value);
    return number.isNumber() && number.doubleValue() <= 0 ? null : number;
  }

  private static JsonNode bfloat16(String value) {
    JsonNode on = FlagValues.flag(value);
    if (!on.isBoolean()) {
      return on;
    }
    return on.booleanValue() ? FlagValues.text("BF16") : null;
  }

  /** A number, or the most that the recipe takes for ms-swift's "no limit". */
  private static JsonNode limit(String value, int most) {
    return value.equals(UNLIMITED) ? IntNode.valueOf(most) : FlagValues.number(value);
  }
}
