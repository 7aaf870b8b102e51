package dev.finetune.trainer.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.finetune.api.schema.FineTuneJobSchema;
import dev.finetune.api.schema.InvalidRecipeException;
import dev.finetune.api.v1alpha1.FreezeOptions;
import dev.finetune.api.v1alpha1.MethodOptions;
import dev.finetune.api.v1alpha1.Quantization;
import dev.finetune.api.v1alpha1.Recipe;
import dev.finetune.api.v1alpha1.TrainerExit;
import dev.finetune.trainer.TrainerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * A recipe with every default filled in.
 *
 * @param recipe the settings
 * @param tree the same as a tree
 */
record ResolvedRecipe(Recipe recipe, ObjectNode tree) {
  private static final double LEARNING_RATE = 1e-4;

  /** All weights at once bear a tenth of what a few new ones do. */
  private static final double FULL_LEARNING_RATE = 1e-5;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();

  /**
   * Reads a recipe file, YAML or JSON, without looking at what is in it.
   *
   * @throws TrainerException USAGE if it can't be read or isn't a mapping
   */
  static ObjectNode readTree(Path file) {
    JsonNode tree;
    try {
      tree = YAML.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new TrainerException(
          TrainerExit.USAGE,
          "the recipe %s isn't YAML: line %d: %s"
              .formatted(
                  file,
                  e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                  e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new TrainerException(
          TrainerExit.USAGE, "the recipe %s can't be read: %s".formatted(file, e), e);
    }
    if (tree instanceof ObjectNode object) {
      return object;
    }
    throw new TrainerException(
        TrainerExit.USAGE,
        "the recipe %s must be a mapping with model, dataset, method, training and output"
            .formatted(file));
  }

  /**
   * Checks a recipe against the CRD's schema and fills in the defaults.
   *
   * @param tree the recipe as written
   * @param naming how a message names a field, given its path such as recipe.training.epochs
   * @throws TrainerException USAGE listing every violation
   */
  static ResolvedRecipe of(ObjectNode tree, UnaryOperator<String> naming) {
    try {
      Recipe recipe = FineTuneJobSchema.load().readRecipe(withDefaults(tree));
      if (recipe.method().given() != 1) {
        // A CEL rule of the CRD, which nobody evaluates here.
        throw new TrainerException(
            TrainerExit.USAGE,
            "recipe.method: exactly one method must be given: " + MethodOptions.NAMES);
      }
      if (!recipe.canMerge()) {
        // Another one.
        throw new TrainerException(
            TrainerExit.USAGE, naming.apply("recipe.output.merge") + ": " + Recipe.MERGE_RULE);
      }
      if (recipe.method().full() != null && recipe.model().quantization() == Quantization.NF4) {
        throw new TrainerException(
            TrainerExit.USAGE,
            naming.apply("recipe.model.quantization")
                + ": NF4 stores frozen weights, and method.full trains them; take lora, or None");
      }
      return new ResolvedRecipe(recipe, JSON.valueToTree(recipe));
    } catch (InvalidRecipeException e) {
      StringBuilder message = new StringBuilder("the recipe isn't valid:");
      e.violations()
          .forEach(
              violation ->
                  message
                      .append("\n  ")
                      .append(naming.apply(violation.path()))
                      .append(": ")
                      .append(violation.message()));
      throw new TrainerException(TrainerExit.USAGE, message.toString(), e);
    }
  }

  /** The defaults that depend on another field, which a schema can't say. */
  private static ObjectNode withDefaults(ObjectNode tree) {
    ObjectNode filled = tree.deepCopy();
    fillLearningRate(filled);
    fillFreeze(filled);
    return filled;
  }

  private static void fillLearningRate(ObjectNode filled) {
    boolean training = filled.path("training").isObject() || !filled.hasNonNull("training");
    if (training && !filled.path("training").hasNonNull("learningRate")) {
      boolean full = filled.path("method").hasNonNull("full");
      filled.withObject("/training").put("learningRate", full ? FULL_LEARNING_RATE : LEARNING_RATE);
    }
  }

  /** Only where a part of it is given: a recipe for text has none. */
  private static void fillFreeze(ObjectNode filled) {
    if (filled.path("model").path("freeze") instanceof ObjectNode freeze) {
      JSON.<ObjectNode>valueToTree(FreezeOptions.DEFAULT)
          .properties()
          .forEach(
              part -> {
                if (!freeze.hasNonNull(part.getKey())) {
                  freeze.set(part.getKey(), part.getValue());
                }
              });
    }
  }
}
