package dev.finetune.trainer.cli;

import static dev.finetune.trainer.cli.RecipeFlag.many;
import static dev.finetune.trainer.cli.RecipeFlag.onOff;
import static dev.finetune.trainer.cli.RecipeFlag.one;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The flag that names the method, and those of each method's settings. */
final class MethodFlags {
  /** ms-swift's names of the methods; it has none for the two that are PEFT's alone. */
  private static final FlagWords METHODS =
      new FlagWords(
          "--train_type",
          Map.of(
              "lora", "lora",
              "full", "full",
              "adapter", "adapter",
              "ia3", "ia3",
              "prefix_tuning", "prefixTuning",
              "prompt_tuning", "promptTuning"));

  private static final String DEFAULT = "lora";
  private static final String TARGETS = "method.lora.targetModules";
  private static final String VARIANT = "method.lora.variant";

  private static final FlagWords ACTIVATIONS =
      new FlagWords("--adapter_act", Map.of("gelu", "GELU", "relu", "ReLU", "silu", "SiLU"));

  /** Which method is tuned with. */
  static final RecipeFlag METHOD =
      one("method", METHODS, "--train_type", "--sft_type", "--tuner_type");

  static final List<RecipeFlag> ALL =
      List.of(
          one("method.lora.rank", FlagValues::number, "--lora_rank"),
          one("method.lora.alpha", FlagValues::number, "--lora_alpha"),
          one("method.lora.dropout", FlagValues::number, "--lora_dropout", "--lora_dropout_p"),
          many(TARGETS, FlagValues::targetModules, "--target_modules", "--lora_target_modules")
              .noting(MethodFlags::targetNote),
          onOff(VARIANT, value -> variant(value, "RankStabilized"), "--use_rslora"),
          onOff(VARIANT, value -> variant(value, "DoRA"), "--use_dora"),
          one(
              "method.lora.initialization",
              MethodFlags::initialization,
              "--init_weights",
              "--init_lora_weights"),
          one(
              "method.lora.learningRateRatio",
              FlagValues::number,
              "--lorap_lr_ratio",
              "--lora_lr_ratio"),
          one("method.lora.embeddingLearningRate", FlagValues::number, "--lorap_emb_lr"),
          one("method.full.lastLayers", FlagValues::number, "--last_layers"),
          many("method.ia3.targetModules", FlagValues::targetModules, "--ia3_target_modules"),
          many(
              "method.ia3.feedforwardModules",
              FlagValues::targetModules,
              "--ia3_feedforward_modules"),
          one("method.adapter.size", FlagValues::number, "--adapter_length"),
          one("method.adapter.activation", ACTIVATIONS, "--adapter_act"),
          one("method.prefixTuning.virtualTokens", FlagValues::number, "--num_virtual_tokens"),
          one("method.promptTuning.initialText", FlagValues::text, "--prompt_tuning_init_text"));

  private MethodFlags() {}

  /**
   * Puts the method into the recipe, unless the recipe has it: the one that is named, or what the
   * recipe says, or LoRA.
   *
   * @return the method's field
   */
  static String choose(ObjectNode recipe, Optional<String> named) {
    Optional<String> given = named.map(value -> METHODS.apply(value).textValue());
    if (given.isEmpty() && recipe.path("method").isObject() && !recipe.path("method").isEmpty()) {
      return recipe.get("method").fieldNames().next();
    }
    String method = given.orElse(DEFAULT);
    if (!recipe.path("method").has(method)) {
      recipe.putObject("method").putObject(method);
    }
    return method;
  }

  /**
   * A flag as it applies to a method: some are of several methods, and one of another method is
   * refused rather than ignored.
   */
  static RecipeFlag forMethod(RecipeFlag flag, String method) {
    String prefix = "method." + method + ".";
    if (!flag.path().startsWith("method.") || flag.path().startsWith(prefix)) {
      return flag;
    }
    boolean ofSeveral =
        (flag.path().equals(TARGETS) && method.equals("ia3"))
            || (flag.path().equals("method.prefixTuning.virtualTokens")
                && method.equals("promptTuning"));
    if (ofSeveral) {
      return flag.at(prefix + flag.path().substring(flag.path().lastIndexOf('.') + 1));
    }
    throw new TrainerException(
        TrainerExit.USAGE,
        "%s sets %s, but the method is %s; leave it out, or choose the method with --train_type"
            .formatted(flag.names().get(0), flag.path(), method));
  }

  private static Optional<String> targetNote(List<String> values) {
    return values.contains("ALL")
        ? Optional.of(
            "every linear layer but the head gets an adapter, in a model for pictures those of the"
                + " parts that train (model.freeze)")
        : Optional.empty();
  }

  private static JsonNode variant(String value, String name) {
    JsonNode on = FlagValues.flag(value);
    if (!on.isBoolean()) {
      return on;
    }
    return on.booleanValue() ? FlagValues.text(name) : null;
  }

  private static JsonNode initialization(String value) {
    String word = value.toLowerCase(Locale.ROOT);
    if (word.equals("true")) {
      return FlagValues.text("Default");
    }
    // pissa_niter_N approximates the singular vectors, which are computed exactly here.
    if (word.matches("pissa(_niter_[0-9]+)?")) {
      return FlagValues.text("PiSSA");
    }
    throw new TrainerException(
        TrainerExit.USAGE,
        "--init_weights %s isn't served by this version; it can be true or pissa".formatted(value));
  }
}
